package dev.tulle.smi.convert;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.StreamSupport;

/**
 * TrafficSplit v1alpha1 to v1alpha4: weights are quantities in v1alpha1 and whole numbers later; {@code spec.matches} exists since v1alpha3.
 *
 * <p>A quantity other than a plain whole number in text is kept, and used again while the numbers are still those it gave: weights that
 * anyone has set since, as Flagger does, win.
 */
final class TrafficSplitConversion implements Conversion {
    private static final String WEIGHTS = "weights";
    private static final String MATCHES = "matches";

    @Override
    public int oldest() {
        return 1;
    }

    @Override
    public int newest() {
        return 4;
    }

    @Override
    public Set<String> notesOfNewest() {
        return Set.of(WEIGHTS);
    }

    @Override
    public void toNewest(ObjectNode object, int from, Kept kept) {
        if (from == 1) {
            numbersFromQuantities(object, kept);
        }
        if (from <= 2 && object.get("spec") instanceof ObjectNode spec) {
            kept.take(MATCHES)
                    .filter(matches -> areReferences(matches) && !spec.has("matches"))
                    .ifPresent(matches -> spec.set("matches", matches));
        }
    }

    @Override
    public void fromNewest(ObjectNode object, int to, Kept kept) {
        if (to <= 2 && object.get("spec") instanceof ObjectNode spec && spec.has("matches")) {
            kept.keep(MATCHES, spec.remove("matches"));
        }
        if (to == 1) {
            quantitiesFromNumbers(object, kept);
        }
    }

    private static void numbersFromQuantities(ObjectNode object, Kept kept) {
        kept.take(WEIGHTS);
        List<ObjectNode> backends = backendsOf(object);
        List<JsonNode> quantities = weightsOf(backends);
        numbersOf(quantities).ifPresent(numbers -> {
            boolean plain = true;
            for (int i = 0; i < numbers.size(); i++) {
                backends.get(i).set("weight", numberOf(numbers.get(i)));
                plain &= quantities.get(i).isTextual()
                        && quantities.get(i).textValue().equals(numbers.get(i).toString());
            }
            if (!plain) {
                kept.keep(WEIGHTS, JsonNodeFactory.instance.arrayNode().addAll(quantities));
            }
        });
    }

    private static void quantitiesFromNumbers(ObjectNode object, Kept kept) {
        List<ObjectNode> backends = backendsOf(object);
        List<JsonNode> weights = weightsOf(backends);
        Optional<List<JsonNode>> before = kept.take(WEIGHTS)
                .filter(ArrayNode.class::isInstance)
                .map(TrafficSplitConversion::elementsOf)
                .filter(quantities -> weights.stream().allMatch(JsonNode::isIntegralNumber)
                        && numbersOf(quantities).isPresent()
                        && numbersOf(quantities).equals(numbersOf(weights)));
        for (int i = 0; i < backends.size(); i++) {
            if (before.isPresent()) {
                backends.get(i).set("weight", before.get().get(i));
            } else if (weights.get(i).isNumber()) {
                backends.get(i).put("weight", weights.get(i).asText());
            }
        }
    }

    /** As a JSON parser would have it, so that trees compare as their texts do. */
    private static JsonNode numberOf(long number) {
        return number == (int) number
                ? JsonNodeFactory.instance.numberNode((int) number)
                : JsonNodeFactory.instance.numberNode(number);
    }

    private static Optional<List<Long>> numbersOf(List<JsonNode> weights) {
        List<BigDecimal> amounts =
                weights.stream().map(Weights::amount).flatMap(Optional::stream).toList();
        return amounts.size() == weights.size()
                ? Optional.of(Weights.whole(amounts, Long.MAX_VALUE))
                : Optional.empty();
    }

    private static List<ObjectNode> backendsOf(ObjectNode object) {
        List<ObjectNode> backends = new ArrayList<>();
        for (JsonNode backend : object.path("spec").path("backends")) {
            if (backend instanceof ObjectNode fields) {
                backends.add(fields);
            }
        }
        return backends;
    }

    private static List<JsonNode> weightsOf(List<ObjectNode> backends) {
        return backends.stream().map(backend -> backend.path("weight")).toList();
    }

    private static boolean areReferences(JsonNode matches) {
        return matches.isArray()
                && elementsOf(matches).stream()
                        .allMatch(match -> match.path("kind").isTextual()
                                && match.path("name").isTextual());
    }

    private static List<JsonNode> elementsOf(JsonNode list) {
        return StreamSupport.stream(list.spliterator(), false).toList();
    }
}
