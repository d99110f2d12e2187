package dev.tulle.smi.convert;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tulle.smi.Documents;
import dev.tulle.smi.FieldProblem;
import dev.tulle.smi.Parsed;
import dev.tulle.smi.SmiKind;
import dev.tulle.smi.SmiObject;
import dev.tulle.smi.SmiReader;
import dev.tulle.smi.StructuralSchema;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What must hold of every conversion, tried on many random objects for each pair of versions of each kind. */
class ConversionPropertyTest {
    private static final int CASES = 2000;
    private static final int FEWER_CASES = 500;

    record Pair(SmiKind kind, int from, int to) {
        ObjectNode there(ObjectNode object) {
            return SmiConverter.convert(object, kind.apiVersion("v1alpha" + to));
        }

        ObjectNode back(ObjectNode object) {
            return SmiConverter.convert(object, kind.apiVersion("v1alpha" + from));
        }

        RandomObjects objects() {
            return new RandomObjects(new SplittableRandom(toString().hashCode()));
        }

        @Override
        public String toString() {
            return "%s v1alpha%d to v1alpha%d".formatted(kind.kind(), from, to);
        }
    }

    static Stream<Pair> pairs() {
        List<Pair> pairs = new ArrayList<>();
        for (SmiKind kind : SmiKind.values()) {
            for (int from : numbers(kind)) {
                for (int to : numbers(kind)) {
                    pairs.add(new Pair(kind, from, to));
                }
            }
        }
        return pairs.stream();
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void thereAndBackIsTheSame(Pair pair) {
        RandomObjects objects = pair.objects();
        for (int i = 0; i < CASES; i++) {
            ObjectNode object = objects.object(pair.kind(), pair.from());
            ObjectNode there = pair.there(object);
            assertThat(pair.back(there))
                    .as(() -> object + " was there " + there)
                    .isEqualTo(object);
        }
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void theApiServerTakesWhatComesOutAndPrunesNothing(Pair pair) {
        RandomObjects objects = pair.objects();
        StructuralSchema before = Documents.schema(pair.kind(), "v1alpha" + pair.from());
        StructuralSchema after = Documents.schema(pair.kind(), "v1alpha" + pair.to());
        for (int i = 0; i < FEWER_CASES; i++) {
            ObjectNode object = objects.object(pair.kind(), pair.from());
            assertThat(before.refusals(object)).as(object::toString).isEmpty();
            assertThat(before.pruned(object)).isEqualTo(object);
            ObjectNode there = pair.there(object);
            assertThat(after.pruned(there)).isEqualTo(there);
            assertThat(after.refusals(there)).as(there::toString).isEqualTo(knownGaps(pair, object));
        }
    }

    /** Lists that v1alpha1 may leave out and a later version demands; none is invented for them. */
    private static List<String> knownGaps(Pair pair, ObjectNode object) {
        List<String> gaps = new ArrayList<>();
        if (pair.kind() == SmiKind.TRAFFIC_TARGET && pair.to() == 3) {
            for (Map.Entry<String, String> list :
                    List.of(Map.entry("rules", "specs"), Map.entry("sources", "sources"))) {
                if (!object.has(list.getValue()) && !object.path("spec").has(list.getKey())) {
                    gaps.add(".spec." + list.getKey() + ": required");
                }
            }
        }
        if (pair.kind() == SmiKind.HTTP_ROUTE_GROUP
                && pair.to() <= 2
                && !object.has("matches")
                && object.at("/spec/matches").isMissingNode()) {
            gaps.add(".matches: required");
        }
        return gaps;
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void theWayTakenMakesNoDifference(Pair pair) {
        RandomObjects objects = pair.objects();
        for (int i = 0; i < CASES / numbers(pair.kind()).length; i++) {
            ObjectNode object = objects.object(pair.kind(), pair.from());
            for (int by : numbers(pair.kind())) {
                ObjectNode detour = SmiConverter.convert(object, pair.kind().apiVersion("v1alpha" + by));
                assertThat(pair.there(detour)).as(() -> object + " by " + by).isEqualTo(pair.there(object));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void anEditAfterConversionSurvives(Pair pair) {
        RandomObjects objects = pair.objects();
        for (int i = 0; i < CASES; i++) {
            ObjectNode edited = pair.there(objects.object(pair.kind(), pair.from()));
            objects.edit(pair.kind(), pair.to(), edited);
            ObjectNode back = pair.back(edited);
            assertThat(shown(pair.there(back)))
                    .as(() -> edited + " was back " + back)
                    .isEqualTo(shown(edited));
        }
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void meansTheSameInEveryVersion(Pair pair) {
        RandomObjects objects = pair.objects();
        int readable = 0;
        for (int i = 0; i < FEWER_CASES; i++) {
            ObjectNode object = objects.object(pair.kind(), pair.from());
            ObjectNode there = pair.there(object);
            if (knownGaps(pair, object).isEmpty()
                    && SmiReader.read(object) instanceof Parsed.Ok(SmiObject meaning, List<FieldProblem> warnings)) {
                assertThat(SmiReader.read(there))
                        .as(() -> object + " is there " + there)
                        .isInstanceOfSatisfying(
                                Parsed.Ok.class,
                                read -> assertThat(read.object()).isEqualTo(meaning));
                readable++;
            }
        }
        assertThat(readable).isGreaterThan(FEWER_CASES / 5);
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void nothingInADocumentMakesItThrow(Pair pair) {
        RandomObjects objects = pair.objects();
        for (int i = 0; i < FEWER_CASES; i++) {
            ObjectNode object = objects.object(pair.kind(), pair.from());
            if (i % 2 == 0) {
                object = pair.there(object);
            }
            objects.spoil(object);
            if (object.path("kind").isTextual()
                    && SmiKind.of(
                                    object.path("apiVersion").asText(),
                                    object.path("kind").asText())
                            .isPresent()) {
                assertThat(pair.back(pair.there(object)).path("apiVersion").asText())
                        .endsWith("v1alpha" + pair.from());
            }
            assertThat(SmiReader.read(object)).isNotNull();
        }
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void keepsOrderAndCountOfEveryList(Pair pair) {
        RandomObjects objects = pair.objects();
        for (int i = 0; i < FEWER_CASES; i++) {
            ObjectNode object = objects.object(pair.kind(), pair.from());
            ObjectNode there = pair.there(object);
            for (String field : List.of("service", "kind", "name", "pathRegex")) {
                assertThat(valuesOf(there, field)).isEqualTo(valuesOf(shownBy(pair, object), field));
            }
        }
    }

    /** The part of an object that the other version shows too, told apart from the converter's own way of telling. */
    private static ObjectNode shownBy(Pair pair, ObjectNode object) {
        ObjectNode shown = object.deepCopy();
        if (pair.from() >= 3 && pair.to() <= 2 && pair.kind() == SmiKind.TRAFFIC_SPLIT) {
            shown.withObjectProperty("spec").remove("matches");
        }
        if (pair.from() >= 3 && pair.to() <= 2 && pair.kind() == SmiKind.HTTP_ROUTE_GROUP && shown.has("spec")) {
            shown.remove("matches");
        }
        if (pair.from() == 4 && pair.to() <= 3 && pair.kind() == SmiKind.TCP_ROUTE) {
            shown.remove("spec");
        }
        return shown;
    }

    private static Map<String, List<JsonNode>> valuesOf(ObjectNode object, String field) {
        return Stream.of("backends", "matches", "rules", "specs", "sources", "destination")
                .collect(Collectors.toMap(
                        list -> list.equals("specs") ? "rules" : list,
                        list -> object.findValues(list).stream()
                                .flatMap(each -> each.findValues(field).stream())
                                .toList(),
                        (one, other) ->
                                Stream.of(one, other).flatMap(List::stream).toList()));
    }

    /** An object without what we keep in it. */
    private static ObjectNode shown(ObjectNode object) {
        ObjectNode copy = object.deepCopy();
        Kept.takeFrom(copy);
        return copy;
    }

    private static int[] numbers(SmiKind kind) {
        Function<String, Integer> number = version -> Integer.parseInt(version.replace("v1alpha", ""));
        return kind.versions().stream().map(number).mapToInt(Integer::intValue).toArray();
    }
}
