package dev.tulle.smi.convert;

import static dev.tulle.smi.Documents.object;
import static dev.tulle.smi.Documents.yaml;
import static dev.tulle.smi.SmiKind.HTTP_ROUTE_GROUP;
import static dev.tulle.smi.SmiKind.TCP_ROUTE;
import static dev.tulle.smi.SmiKind.TRAFFIC_SPLIT;
import static dev.tulle.smi.SmiKind.TRAFFIC_TARGET;
import static dev.tulle.smi.SmiKind.UDP_ROUTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tulle.smi.SmiKind;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class SmiConverterTest {
    @Nested
    class EveryConversion {
        @Test
        void writesGroupAndVersion() {
            ObjectNode converted = to(2, split(4, "1", "0"));
            assertThat(converted.path("apiVersion").asText()).isEqualTo("split.smi-spec.io/v1alpha2");
            assertThat(converted.path("kind").asText()).isEqualTo("TrafficSplit");
        }

        @Test
        void leavesItsArgumentAlone() {
            ObjectNode split = split(1, "500m", "1");
            ObjectNode before = split.deepCopy();
            to(4, split).withObjectProperty("spec").removeAll();
            assertThat(split).isEqualTo(before);
        }

        @Test
        void leavesMetadataAlone() {
            ObjectNode split = split(1, "'100'", "'0'");
            split.set("metadata", yaml("""
                            name: it
                            namespace: shop
                            uid: 11-22
                            resourceVersion: "7"
                            labels: {a: b}
                            annotations: {note: by hand, empty: ""}
                            ownerReferences: [{kind: Canary, name: it}]
                            """));
            assertThat(to(4, split).get("metadata")).isEqualTo(split.get("metadata"));
            assertThat(to(2, split).get("metadata")).isEqualTo(split.get("metadata"));
        }

        @Test
        void toTheSameVersionChangesNothing() {
            ObjectNode split = split(1, "500m", "1");
            assertThat(to(1, split)).isEqualTo(split).isNotSameAs(split);
        }

        @Test
        void keepsFieldsItDoesNotKnow() {
            ObjectNode split = split(1, "'1'", "'0'");
            split.put("extra", true).withObjectProperty("spec").put("other", 5);
            ObjectNode converted = to(4, split);
            assertThat(converted.path("extra").asBoolean()).isTrue();
            assertThat(converted.at("/spec/other").asInt()).isEqualTo(5);
        }

        @Test
        void refusesWhatIsNoSmiObject() {
            ObjectNode service = yaml("{apiVersion: v1, kind: Service}");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> SmiConverter.convert(service, "split.smi-spec.io/v1alpha4"))
                    .withMessageStartingWith("Service of v1 is no SMI kind");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> SmiConverter.convert(yaml("{}"), "split.smi-spec.io/v1alpha4"));
        }

        @Test
        void refusesVersionsThatDoNotExist() {
            ObjectNode target = object(TRAFFIC_TARGET, 3, "spec: {}");
            for (String desired : new String[] {
                "access.smi-spec.io/v1alpha4",
                "access.smi-spec.io/v1alpha0",
                "split.smi-spec.io/v1alpha2",
                "v1alpha2",
                "",
                "access.smi-spec.io/"
            }) {
                assertThatIllegalArgumentException()
                        .isThrownBy(() -> SmiConverter.convert(target, desired))
                        .withMessageContaining("it has the versions access.smi-spec.io/v1alpha1 to v1alpha3");
            }
            ObjectNode route = object(UDP_ROUTE, 4, "spec: {matches: {ports: []}}");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> SmiConverter.convert(route, "specs.smi-spec.io/v1alpha3"));
        }

        @Test
        void knowsTheVersionsThatTheReaderKnows() {
            for (SmiKind kind : SmiKind.values()) {
                for (String version : kind.versions()) {
                    ObjectNode object =
                            yaml("{kind: %s, apiVersion: %s}".formatted(kind.kind(), kind.apiVersion(version)));
                    assertThat(SmiConverter.convert(object, kind.apiVersion(kind.newestVersion()))
                                    .path("apiVersion")
                                    .asText())
                            .isEqualTo(kind.apiVersion(kind.newestVersion()));
                }
            }
        }

        @Test
        void dropsAnUnreadableAnnotationOfOurs() {
            for (String kept :
                    new String[] {"", "{", "[1]", "7", "{\"unknown\":1}", "{\"matches\":\"x\",\"port\":[]}"}) {
                ObjectNode split = split(2, "1", "0");
                split.withObjectProperty("metadata")
                        .withObjectProperty("annotations")
                        .put(SmiConverter.ANNOTATION, kept);
                assertThat(to(4, split)).isEqualTo(split(4, "1", "0"));
            }
        }
    }

    @Nested
    class WeightsOfATrafficSplit {
        @Test
        void becomeNumbersWhereAllAreWhole() {
            ObjectNode converted = to(4, split(1, "'100'", "'0'"));
            assertThat(converted).isEqualTo(split(4, "100", "0"));
        }

        @Test
        void areBroughtToOneScaleWhereOneIsAFraction() {
            assertThat(weights(to(4, split(1, "1", "500m")))).isEqualTo("1000,500");
            assertThat(weights(to(2, split(1, "10m", "'1.5'")))).isEqualTo("10,1500");
        }

        @Test
        void becomeTextAsFlaggerWritesIt() {
            assertThat(to(1, split(4, "100", "0"))).isEqualTo(split(1, "'100'", "'0'"));
        }

        @Test
        void comeBackAsTheyWereWritten() {
            for (String weight : new String[] {"500m", "'1500m'", "1", "'1.50'", "1k", "'007'", "1e2", "10u"}) {
                ObjectNode split = split(1, weight, "'3'");
                for (int version = 2; version <= 4; version++) {
                    assertThat(to(1, to(version, split))).as(weight).isEqualTo(split);
                }
            }
        }

        @Test
        void comeBackByAnyWay() {
            ObjectNode split = split(1, "500m", "1");
            assertThat(to(1, to(2, to(3, to(2, to(4, split)))))).isEqualTo(split);
        }

        @Test
        void setMeanwhileWinOverTheFormerText() {
            ObjectNode read = to(2, split(1, "1500m", "500m"));
            setWeights(read, 60, 40);
            assertThat(weights(to(1, read))).isEqualTo("\"60\",\"40\"");
            assertThat(weights(to(1, to(4, read)))).isEqualTo("\"60\",\"40\"");
            assertThat(weights(to(2, to(4, read)))).isEqualTo("60,40");
        }

        @Test
        void setInPartLeaveNoMixedScales() {
            ObjectNode read = to(4, split(1, "1500m", "500m"));
            setWeights(read, 1500, 600);
            assertThat(weights(to(1, read))).isEqualTo("\"1500\",\"600\"");
        }

        @Test
        void ofAnotherNumberOfBackendsAreTakenAsTheyAre() {
            ObjectNode read = to(4, split(1, "1500m", "500m"));
            ((ArrayNode) read.at("/spec/backends")).remove(1);
            assertThat(weights(to(1, read))).isEqualTo("\"1500\"");
        }

        @Test
        void thatNobodyCanReadPassAsTheyAre() {
            for (String weight : new String[] {"much", "-1", "-500m", "null", "[]", "1e300", "''"}) {
                ObjectNode split = split(1, weight, "500m");
                assertThat(weights(to(4, split))).as(weight).isEqualTo(weights(split));
                assertThat(to(4, split).has("metadata")).isTrue();
                assertThat(to(4, split).path("metadata").has("annotations")).isFalse();
            }
        }

        @Test
        void ofAForgedAnnotationAreNotTaken() {
            for (String forged :
                    new String[] {"{}", "[]", "[1]", "[1,0,0]", "[2,0]", "[\"x\",0]", "[null,null]", "[[1],[0]]"}) {
                ObjectNode split = split(4, "1", "0");
                split.withObjectProperty("metadata")
                        .withObjectProperty("annotations")
                        .put(SmiConverter.ANNOTATION, "{\"weights\":" + forged + "}");
                assertThat(to(1, split)).as(forged).isEqualTo(split(1, "'1'", "'0'"));
            }
        }

        @Test
        void keepTheOrderOfBackends() {
            ObjectNode split = split(1, "500m", "1");
            assertThat(to(3, split).at("/spec/backends/0/service").asText()).isEqualTo("canary");
            assertThat(to(3, split).at("/spec/backends/1/service").asText()).isEqualTo("primary");
        }
    }

    @Nested
    class MatchesOfATrafficSplit {
        private static final String AB =
                "spec: {service: a, backends: [{service: b, weight: 1}], matches: [{kind: HTTPRouteGroup, name: phones}]}";

        @Test
        void areNotShownToOlderVersionsAndComeBack() {
            ObjectNode split = object(TRAFFIC_SPLIT, 4, AB);
            for (int version = 1; version <= 2; version++) {
                ObjectNode older = to(version, split);
                assertThat(older.path("spec").has("matches")).isFalse();
                assertThat(to(4, older)).isEqualTo(split);
                assertThat(to(3, older)).isEqualTo(object(TRAFFIC_SPLIT, 3, AB));
            }
        }

        @Test
        void surviveAnOldClientThatSetsWeights() {
            ObjectNode older = to(1, object(TRAFFIC_SPLIT, 4, AB));
            ((ObjectNode) older.at("/spec/backends/0")).put("weight", "70");
            ObjectNode newer = to(4, older);
            assertThat(newer.at("/spec/matches/0/name").asText()).isEqualTo("phones");
            assertThat(weights(newer)).isEqualTo("70");
        }

        @Test
        void areNeitherAddedNorEmptied() {
            assertThat(to(3, split(1, "'1'", "'0'")).path("spec").has("matches"))
                    .isFalse();
            ObjectNode empty = object(TRAFFIC_SPLIT, 4, "spec: {service: a, backends: [], matches: []}");
            assertThat(to(4, to(1, empty))).isEqualTo(empty);
        }

        @Test
        void removedInTheNewestVersionStayRemoved() {
            ObjectNode saved = to(2, object(TRAFFIC_SPLIT, 4, AB));
            ObjectNode written = split(4, "1", "0");
            written.set("metadata", saved.get("metadata").deepCopy());
            assertThat(to(4, to(2, written)).path("spec").has("matches")).isFalse();
        }

        @Test
        void ofAForgedAnnotationAreOnlyTakenInTheirForm() {
            for (String forged : new String[] {"[1]", "[{}]", "[{\"kind\":1,\"name\":\"a\"}]", "{}", "\"x\"", "null"}) {
                ObjectNode split = split(2, "1", "0");
                split.withObjectProperty("metadata")
                        .withObjectProperty("annotations")
                        .put(SmiConverter.ANNOTATION, "{\"matches\":" + forged + "}");
                assertThat(to(4, split)).isEqualTo(split(4, "1", "0"));
            }
        }
    }

    @Nested
    class ATrafficTarget {
        private static final String FIRST = """
                destination: {kind: ServiceAccount, name: b, namespace: shop%s}
                specs: [{kind: TCPRoute, name: t}, {kind: HTTPRouteGroup, name: g, matches: [x, y]}]
                sources: [{kind: ServiceAccount, name: a, namespace: web}]
                """;
        private static final String LATER = """
                spec:
                  destination: {kind: ServiceAccount, name: b, namespace: shop%s}
                  rules: [{kind: TCPRoute, name: t}, {kind: HTTPRouteGroup, name: g, matches: [x, y]}]
                  sources: [{kind: ServiceAccount, name: a, namespace: web}]
                """;

        @Test
        void movesBetweenRootAndSpec() {
            ObjectNode first = object(TRAFFIC_TARGET, 1, FIRST.formatted(""));
            assertThat(to(2, first)).isEqualTo(object(TRAFFIC_TARGET, 2, LATER.formatted("")));
            assertThat(to(3, first)).isEqualTo(object(TRAFFIC_TARGET, 3, LATER.formatted("")));
            assertThat(to(1, to(3, first))).isEqualTo(first);
            assertThat(to(1, to(2, first))).isEqualTo(first);
        }

        @Test
        void keepsItsPortInEveryVersion() {
            ObjectNode first = object(TRAFFIC_TARGET, 1, FIRST.formatted(", port: 8080"));
            ObjectNode newest = object(TRAFFIC_TARGET, 3, LATER.formatted(", port: 8080"));
            assertThat(to(3, first)).isEqualTo(newest);
            assertThat(to(1, newest)).isEqualTo(first);
        }

        @Test
        void showsATextPortAsNumberToOlderVersions() {
            ObjectNode newest = object(TRAFFIC_TARGET, 3, LATER.formatted(", port: '9091'"));
            for (int version = 1; version <= 2; version++) {
                ObjectNode older = to(version, newest);
                assertThat(older.findValue("port").isInt()).isTrue();
                assertThat(to(3, older)).isEqualTo(newest);
            }
        }

        @Test
        void takesAPortSetByAnOlderVersion() {
            ObjectNode older = to(2, object(TRAFFIC_TARGET, 3, LATER.formatted(", port: '9091'")));
            ((ObjectNode) older.at("/spec/destination")).put("port", 9092);
            assertThat(to(3, older)).isEqualTo(object(TRAFFIC_TARGET, 3, LATER.formatted(", port: 9092")));
        }

        @Test
        void losesAPortTakenAwayByAnOlderVersion() {
            ObjectNode older = to(2, object(TRAFFIC_TARGET, 3, LATER.formatted(", port: '9091'")));
            ((ObjectNode) older.at("/spec/destination")).remove("port");
            assertThat(to(3, older)).isEqualTo(object(TRAFFIC_TARGET, 3, LATER.formatted("")));
        }

        @Test
        void getsNoListsItDidNotHave() {
            ObjectNode bare = object(TRAFFIC_TARGET, 1, "destination: {kind: ServiceAccount, name: b}");
            assertThat(to(3, bare))
                    .isEqualTo(object(TRAFFIC_TARGET, 3, "spec: {destination: {kind: ServiceAccount, name: b}}"));
            ObjectNode empty = object(
                    TRAFFIC_TARGET, 2, "spec: {destination: {kind: ServiceAccount, name: b}, rules: [], sources: []}");
            assertThat(to(2, to(1, empty))).isEqualTo(empty);
        }
    }

    @Nested
    class AnHttpRouteGroup {
        private static final String LIST =
                "[{name: m, pathRegex: /a, methods: ['*'], headers: [{b: c}]}, {name: n, headers: {d: e}}]";

        @Test
        void movesBetweenRootAndSpec() {
            ObjectNode first = object(HTTP_ROUTE_GROUP, 1, "matches: " + LIST);
            ObjectNode newest = object(HTTP_ROUTE_GROUP, 4, "spec: {matches: " + LIST + "}");
            assertThat(to(4, first)).isEqualTo(newest);
            assertThat(to(1, newest)).isEqualTo(first);
        }

        @Test
        void withItsListAtTheRootGetsItBackThere() {
            ObjectNode newest = object(HTTP_ROUTE_GROUP, 4, "matches: " + LIST);
            assertThat(to(2, newest).get("matches")).isEqualTo(newest.get("matches"));
            assertThat(to(4, to(2, newest))).isEqualTo(newest);
        }

        @Test
        void withBothListsShowsTheOneThatCounts() {
            ObjectNode newest = both();
            ObjectNode older = to(1, newest);
            assertThat(older.get("matches")).isEqualTo(newest.at("/spec/matches"));
            assertThat(to(4, older)).isEqualTo(newest);
        }

        @Test
        void editedInAnOlderVersionKeepsTheEdit() {
            ObjectNode atRoot = to(1, object(HTTP_ROUTE_GROUP, 4, "matches: " + LIST));
            ObjectNode withBoth = to(1, both());
            for (ObjectNode older : new ObjectNode[] {atRoot, withBoth}) {
                ((ObjectNode) older.at("/matches/0")).put("pathRegex", "/edited");
                ObjectNode newest = to(4, older);
                JsonNode counts =
                        newest.at("/spec/matches").isMissingNode() ? newest.get("matches") : newest.at("/spec/matches");
                assertThat(counts.at("/0/pathRegex").asText()).isEqualTo("/edited");
            }
        }

        @Test
        void emptiedInAnOlderVersionDoesNotGetItsShadowedListBack() {
            ObjectNode older = to(1, both());
            older.remove("matches");
            ObjectNode newest = to(4, older);
            assertThat(newest.has("matches")).isFalse();
            assertThat(newest.at("/spec/matches").isMissingNode()).isTrue();
        }

        private static ObjectNode both() {
            return object(HTTP_ROUTE_GROUP, 4, "matches: [{name: old}]\nspec: {matches: " + LIST + "}");
        }
    }

    @Nested
    class ATcpRoute {
        @Test
        void fromBeforePortsHasAllOfThem() {
            ObjectNode all = object(TCP_ROUTE, 4, "spec: {matches: {ports: []}}");
            assertThat(to(4, object(TCP_ROUTE, 1, ""))).isEqualTo(all);
            assertThat(to(4, object(TCP_ROUTE, 2, ""))).isEqualTo(all);
            assertThat(to(4, object(TCP_ROUTE, 3, "spec: {}"))).isEqualTo(all);
            assertThat(to(1, all)).isEqualTo(object(TCP_ROUTE, 1, ""));
            assertThat(to(3, all)).isEqualTo(object(TCP_ROUTE, 3, "spec: {}"));
        }

        @Test
        void keepsItsPortsInOlderVersions() {
            ObjectNode newest = object(TCP_ROUTE, 4, "spec: {matches: {ports: [9090, 80], name: web}}");
            for (int version = 1; version <= 3; version++) {
                assertThat(to(4, to(version, newest))).isEqualTo(newest);
            }
            assertThat(to(3, newest).get("spec")).isEmpty();
        }

        @Test
        void withoutSpecGetsNone() {
            ObjectNode third = object(TCP_ROUTE, 3, "");
            for (int version : new int[] {1, 2, 4}) {
                assertThat(to(3, to(version, third))).isEqualTo(third);
            }
        }

        @Test
        void takesOnlyPortsFromItsAnnotation() {
            ObjectNode older = object(TCP_ROUTE, 1, "");
            older.withObjectProperty("metadata")
                    .withObjectProperty("annotations")
                    .put(SmiConverter.ANNOTATION, "{\"matches\":{\"ports\":[\"many\"]}}");
            assertThat(to(4, older)).isEqualTo(object(TCP_ROUTE, 4, "spec: {matches: {ports: []}}"));
        }
    }

    private static ObjectNode to(int version, ObjectNode object) {
        String apiVersion = object.path("apiVersion").asText();
        return SmiConverter.convert(object, apiVersion.substring(0, apiVersion.indexOf('/')) + "/v1alpha" + version);
    }

    private static ObjectNode split(int version, String canary, String primary) {
        return object(
                TRAFFIC_SPLIT,
                version,
                "spec: {service: a, backends: [{service: canary, weight: %s}, {service: primary, weight: %s}]}"
                        .formatted(canary, primary));
    }

    private static void setWeights(ObjectNode split, int... weights) {
        for (int i = 0; i < weights.length; i++) {
            ((ObjectNode) split.at("/spec/backends/" + i)).put("weight", weights[i]);
        }
    }

    private static String weights(ObjectNode split) {
        return String.join(
                ",", split.findValues("weight").stream().map(JsonNode::toString).toList());
    }
}
