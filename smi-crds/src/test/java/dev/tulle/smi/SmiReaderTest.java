package dev.tulle.smi;

import static dev.tulle.smi.Documents.object;
import static dev.tulle.smi.Documents.yaml;
import static dev.tulle.smi.SmiKind.HTTP_ROUTE_GROUP;
import static dev.tulle.smi.SmiKind.TCP_ROUTE;
import static dev.tulle.smi.SmiKind.TRAFFIC_SPLIT;
import static dev.tulle.smi.SmiKind.TRAFFIC_TARGET;
import static dev.tulle.smi.SmiKind.UDP_ROUTE;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.tulle.smi.HTTPRouteGroup.Header;
import dev.tulle.smi.TrafficSplit.Backend;
import dev.tulle.smi.TrafficTarget.Rule;
import dev.tulle.smi.TrafficTarget.RuleKind;
import dev.tulle.smi.TrafficTarget.ServiceAccount;
import dev.tulle.smi.convert.SmiConverter;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SmiReaderTest {
    @Nested
    class AnyDocument {
        @Test
        void isOursByGroupAndKind() {
            assertThat(SmiReader.isSmi("split.smi-spec.io/v1alpha2", "TrafficSplit"))
                    .isTrue();
            assertThat(SmiReader.isSmi("split.smi-spec.io/v9", "TrafficSplit")).isTrue();
            assertThat(SmiReader.isSmi("access.smi-spec.io/v1alpha2", "TrafficSplit"))
                    .isFalse();
            assertThat(SmiReader.isSmi("access.smi-spec.io/v1alpha4", "IdentityBinding"))
                    .isFalse();
            assertThat(SmiReader.isSmi("v1", "Service")).isFalse();
            assertThat(SmiReader.isSmi("", "")).isFalse();
        }

        @Test
        void givesItsMetadata() {
            SmiMetadata metadata = ok(yaml("""
                            apiVersion: specs.smi-spec.io/v1alpha4
                            kind: TCPRoute
                            metadata:
                              name: it
                              namespace: shop
                              uid: 11-22
                              creationTimestamp: "2026-01-31T12:00:00Z"
                              generation: 3
                              labels: {app.kubernetes.io/name: x, b: ""}
                              annotations: {a: b}
                            spec: {matches: {ports: []}}
                            status: {anything: [1]}
                            """)).metadata();
            assertThat(metadata)
                    .isEqualTo(new SmiMetadata(
                            "it",
                            "shop",
                            Map.of("app.kubernetes.io/name", "x", "b", ""),
                            Map.of("a", "b"),
                            Optional.of(Instant.parse("2026-01-31T12:00:00Z")),
                            Optional.of("11-22")));
            assertThat(metadata.id()).isEqualTo("shop/it");
        }

        @Test
        void withoutNamespaceIsInTheDefaultOne() {
            assertThat(ok(yaml("""
                                    {apiVersion: specs.smi-spec.io/v1alpha1, kind: TCPRoute, metadata: {name: it, creationTimestamp: null}}
                                    """)).metadata()).isEqualTo(SmiMetadata.of("default", "it"));
        }

        @ParameterizedTest
        @ValueSource(
                strings = {
                    "{}",
                    "{kind: TrafficSplit}",
                    "{apiVersion: split.smi-spec.io/v1alpha4}",
                    "{apiVersion: 5, kind: [a]}",
                    "{apiVersion: v1, kind: Service}",
                    "{apiVersion: split.smi-spec.io/v1alpha4, kind: TrafficTarget}"
                })
        void ofAnotherKindIsRefused(String document) {
            assertThat(problems(yaml(document))).isNotEmpty();
        }

        @Test
        void thatIsNoObjectIsRefused() {
            JsonNodeFactory json = JsonNodeFactory.instance;
            for (JsonNode document : new JsonNode[] {
                json.nullNode(),
                json.missingNode(),
                json.textNode("x"),
                json.arrayNode().add(1),
                json.numberNode(5)
            }) {
                assertThat(SmiReader.read(document)).isInstanceOf(Parsed.Bad.class);
            }
        }

        @Test
        void ofAnUnknownVersionIsToldTheKnownOnes() {
            assertThat(problems(yaml(
                            "{apiVersion: access.smi-spec.io/v1alpha4, kind: TrafficTarget, metadata: {name: a}}")))
                    .containsExactly(
                            "apiVersion: is \"access.smi-spec.io/v1alpha4\", which TrafficTarget does not have: write one of"
                                    + " access.smi-spec.io/v1alpha1, access.smi-spec.io/v1alpha2, access.smi-spec.io/v1alpha3");
        }

        @Test
        void withBrokenMetadataNamesEveryField() {
            assertThat(fields(yaml("""
                            apiVersion: specs.smi-spec.io/v1alpha4
                            kind: TCPRoute
                            metadata:
                              name: It
                              namespace: a.b
                              labels: {app.kubernetes.io/name: 5}
                              annotations: []
                              creationTimestamp: yesterday
                              uid: {}
                            spec: {matches: {ports: []}}
                            """)))
                    .containsExactly(
                            "metadata.name",
                            "metadata.namespace",
                            "metadata.labels[app.kubernetes.io/name]",
                            "metadata.annotations",
                            "metadata.creationTimestamp",
                            "metadata.uid");
            assertThat(fields(yaml("{apiVersion: specs.smi-spec.io/v1alpha1, kind: TCPRoute}")))
                    .containsExactly("metadata.name");
            assertThat(fields(yaml("{apiVersion: specs.smi-spec.io/v1alpha1, kind: TCPRoute, metadata: x}")))
                    .containsExactly("metadata", "metadata.name");
        }

        @Test
        void shortensWhatItQuotesToOneLine() {
            String problem = problems(object(
                            TRAFFIC_SPLIT,
                            4,
                            "spec: {service: '%s', backends: [{service: b, weight: 1}]}".formatted("x".repeat(500))))
                    .getFirst();
            assertThat(problem).hasSizeLessThan(200);
            assertThat(problems(object(TRAFFIC_SPLIT, 4, "\"a\\nb%s\": 1".formatted("x".repeat(500)))))
                    .allSatisfy(line -> assertThat(line).hasSizeLessThan(250).doesNotContain("\n"))
                    .first()
                    .asString()
                    .startsWith("[a?bxxx");
        }
    }

    @Nested
    class ATrafficSplit {
        private static final String BACKENDS =
                "backends: [{service: canary, weight: 0}, {service: primary, weight: 100}]";

        @Test
        void isReadFromEveryVersion() {
            for (int version = 1; version <= 4; version++) {
                assertThat(ok(object(TRAFFIC_SPLIT, version, "spec: {service: web, %s}".formatted(BACKENDS))))
                        .isEqualTo(split(new Backend("canary", 0), new Backend("primary", 100)));
            }
        }

        @Test
        void hasQuantitiesOnOneScale() {
            assertThat(
                            ok(
                                    object(
                                            TRAFFIC_SPLIT,
                                            1,
                                            "spec: {service: web, backends: [{service: a, weight: 1}, {service: b, weight: 500m}, {service: c, weight: '0'}]}")))
                    .isEqualTo(split(new Backend("a", 1000), new Backend("b", 500), new Backend("c", 0)));
        }

        @Test
        void shrinksWeightsThatAreTooLarge() {
            assertThat(
                            ok(
                                    object(
                                            TRAFFIC_SPLIT,
                                            4,
                                            "spec: {service: web, backends: [{service: a, weight: 8000000000000}, {service: b, weight: 4000000000000}]}")))
                    .isEqualTo(split(new Backend("a", 1_000_000_000), new Backend("b", 500_000_000)));
        }

        @ParameterizedTest
        @ValueSource(
                strings = {
                    "web",
                    "web.",
                    "web.shop",
                    "web.shop.svc",
                    "web.shop.svc.cluster.local",
                    "web.shop.svc.cluster.local."
                })
        void takesEveryNameOfItsRoot(String root) {
            assertThat(((TrafficSplit)
                                    ok(object(TRAFFIC_SPLIT, 4, "spec: {service: %s, %s}".formatted(root, BACKENDS))))
                            .service())
                    .isEqualTo("web");
        }

        @ParameterizedTest
        @ValueSource(
                strings = {
                    "web.other",
                    "web.other.svc",
                    "example.com",
                    "web.shop.pod",
                    "Web",
                    "a b",
                    "web..",
                    ".",
                    "web:80",
                    "*"
                })
        void refusesARootThatIsNoServiceOfItsNamespace(String root) {
            assertThat(problems(object(TRAFFIC_SPLIT, 4, "spec: {service: '%s', %s}".formatted(root, BACKENDS))))
                    .containsExactly(
                            "spec.service: is \"%s\": write the name of a Service of namespace shop, where this object is"
                                    .formatted(root));
        }

        @Test
        void takesMatchesSinceTheThirdVersion() {
            String matches =
                    "matches: [{kind: HTTPRouteGroup, name: phones, apiGroup: specs.smi-spec.io}, {kind: HTTPRouteGroup, name: old}]";
            for (int version = 3; version <= 4; version++) {
                assertThat(((TrafficSplit) ok(object(
                                        TRAFFIC_SPLIT,
                                        version,
                                        "spec: {service: web, %s, %s}".formatted(BACKENDS, matches))))
                                .matches())
                        .containsExactly("phones", "old");
            }
            assertThat(fields(object(TRAFFIC_SPLIT, 2, "spec: {service: web, %s, %s}".formatted(BACKENDS, matches))))
                    .containsExactly("spec.matches");
        }

        @Test
        void keepsTheMatchesThatAnOlderVersionCannotShow() {
            var newest = object(
                    TRAFFIC_SPLIT,
                    4,
                    "spec: {service: web, %s, matches: [{kind: HTTPRouteGroup, name: phones}]}".formatted(BACKENDS));
            SmiObject older = ok(SmiConverter.convert(newest, "split.smi-spec.io/v1alpha1"));
            assertThat(((TrafficSplit) older).matches()).containsExactly("phones");
        }

        @ParameterizedTest
        @CsvSource(
                delimiter = '|',
                value = {
                    "4 | -5    | is -5: a weight cannot be negative; write 0 for no traffic",
                    "1 | -500m | is \"-500m\": a weight cannot be negative; write 0 for no traffic",
                    "4 | much  | is \"much\": write a whole number",
                    "1 | much  | is \"much\": write a whole number or a quantity such as 500m",
                    "4 | true  | is true: write a whole number",
                    "4 | [1]   | is [1]: write a whole number",
                    "4 | {}    | is {}: write a whole number",
                    "4 | null  | is missing: write a whole number, 0 for no traffic",
                    "1 | '''1e999''' | is \"1e999\": write a whole number or a quantity such as 500m"
                })
        void refusesAWeightThatIsNone(int version, String weight, String message) {
            assertThat(problems(object(
                            TRAFFIC_SPLIT,
                            version,
                            "spec: {service: web, backends: [{service: a, weight: 500}, {service: b, weight: %s}]}"
                                    .formatted(weight))))
                    .containsExactly("spec.backends[1].weight: " + message);
        }

        @Test
        void warnsOfAQuantityWhereOnlyNumbersAreLegal() {
            Parsed.Ok read = (Parsed.Ok) SmiReader.read(object(
                    TRAFFIC_SPLIT,
                    4,
                    "spec: {service: web, backends: [{service: a, weight: '1'}, {service: b, weight: 500m}]}"));
            assertThat(read.object()).isEqualTo(split(new Backend("a", 1000), new Backend("b", 500)));
            assertThat(read.warnings())
                    .map(FieldProblem::field)
                    .containsExactly("spec.backends[0].weight", "spec.backends[1].weight");
        }

        @Test
        void warnsOfSharesThatServeNobodyOrMeetTwice() {
            assertThat(warnings(object(
                            TRAFFIC_SPLIT,
                            4,
                            "spec: {service: web, backends: [{service: a, weight: 0}, {service: a, weight: 0}]}")))
                    .containsExactly("spec.backends[1].service", "spec.backends");
        }

        @Test
        void namesEveryProblemAtOnce() {
            assertThat(fields(object(TRAFFIC_SPLIT, 4, """
                            spec:
                              backend: []
                              backends: [{service: B, wieght: 5}, 7, {weight: 1}]
                              matches: [{kind: TCPRoute, name: t}, {name: 5, apiGroup: apps}]
                            """)))
                    .containsExactly(
                            "spec.backend",
                            "spec.service",
                            "spec.backends[0].wieght",
                            "spec.backends[0].service",
                            "spec.backends[0].weight",
                            "spec.backends[1]",
                            "spec.backends[1].service",
                            "spec.backends[1].weight",
                            "spec.backends[2].service",
                            "spec.matches[0].kind",
                            "spec.matches[1].kind",
                            "spec.matches[1].apiGroup",
                            "spec.matches[1].name");
            assertThat(fields(object(TRAFFIC_SPLIT, 4, ""))).containsExactly("spec.service", "spec.backends");
            assertThat(fields(object(TRAFFIC_SPLIT, 4, "spec: {service: web, backends: []}")))
                    .containsExactly("spec.backends");
            assertThat(fields(object(TRAFFIC_SPLIT, 4, "spec: {service: web, backends: {a: 1}}")))
                    .containsExactly("spec.backends");
        }

        private static TrafficSplit split(Backend... backends) {
            return new TrafficSplit(SmiMetadata.of("shop", "it"), "web", List.of(backends), List.of());
        }
    }

    @Nested
    class ATrafficTarget {
        private static final String LATER = """
                spec:
                  destination: {kind: ServiceAccount, name: b%s}
                  rules:
                  - {kind: HTTPRouteGroup, name: g, matches: [x, y]}
                  - {kind: HTTPRouteGroup, name: h, matches: []}
                  - {kind: TCPRoute, name: t}
                  sources: [{kind: ServiceAccount, name: a, namespace: web}, {kind: ServiceAccount, name: a.b, namespace: ''}]
                """;

        @Test
        void isReadFromEveryVersion() {
            TrafficTarget target = new TrafficTarget(
                    SmiMetadata.of("shop", "it"),
                    new ServiceAccount("shop", "b"),
                    Optional.of(9091),
                    List.of(new ServiceAccount("web", "a"), new ServiceAccount("shop", "a.b")),
                    List.of(
                            new Rule(RuleKind.HTTP_ROUTE_GROUP, "g", List.of("x", "y")),
                            new Rule(RuleKind.HTTP_ROUTE_GROUP, "h", List.of()),
                            new Rule(RuleKind.TCP_ROUTE, "t", List.of())));
            assertThat(ok(object(TRAFFIC_TARGET, 3, LATER.formatted(", port: '9091'"))))
                    .isEqualTo(target);
            assertThat(ok(object(TRAFFIC_TARGET, 3, LATER.formatted(", port: 9091"))))
                    .isEqualTo(target);
            assertThat(ok(object(TRAFFIC_TARGET, 2, LATER.formatted(", port: 9091"))))
                    .isEqualTo(target);
            assertThat(ok(object(
                            TRAFFIC_TARGET,
                            1,
                            LATER.formatted(", port: 9091")
                                    .replace("spec:", "")
                                    .replace("rules:", "specs:")
                                    .indent(-2))))
                    .isEqualTo(target);
        }

        @Test
        void withoutPortRestrictsNone() {
            assertThat(((TrafficTarget) ok(object(TRAFFIC_TARGET, 3, LATER.formatted("")))).port())
                    .isEmpty();
        }

        @Test
        void mayProtectAnAccountOfAnotherNamespaceAsFarAsReadingGoes() {
            assertThat(((TrafficTarget) ok(object(TRAFFIC_TARGET, 3, LATER.formatted(", namespace: other"))))
                            .destination())
                    .isEqualTo(new ServiceAccount("other", "b"));
        }

        @Test
        void ignoresAPortOfASourceOnlyInOldVersions() {
            String body =
                    "spec: {destination: {kind: ServiceAccount, name: b}, rules: [{kind: UDPRoute, name: u}], sources: [{kind: ServiceAccount, name: a, port: 5}]}";
            assertThat(((TrafficTarget) ok(object(TRAFFIC_TARGET, 2, body))).port())
                    .isEmpty();
            assertThat(fields(object(TRAFFIC_TARGET, 3, body))).containsExactly("spec.sources[0].port");
        }

        @Test
        void thatNamesNobodyGrantsNothingAndSaysSo() {
            String body = "spec: {destination: {kind: ServiceAccount, name: b}%s}";
            assertThat(warnings(object(TRAFFIC_TARGET, 2, body.formatted(""))))
                    .containsExactly("spec.sources", "spec.rules");
            assertThat(warnings(object(TRAFFIC_TARGET, 3, body.formatted(", rules: [], sources: []"))))
                    .containsExactly("spec.sources", "spec.rules");
            assertThat(fields(object(TRAFFIC_TARGET, 3, body.formatted(""))))
                    .containsExactly("spec.sources", "spec.rules");
            assertThat(warnings(object(TRAFFIC_TARGET, 1, "destination: {kind: ServiceAccount, name: b}")))
                    .containsExactly("sources", "specs");
        }

        @Test
        void warnsOfEntriesNamedInARouteThatHasNone() {
            var document = object(TRAFFIC_TARGET, 3, LATER.formatted("").replace("name: t", "name: t, matches: [x]"));
            assertThat(warnings(document)).containsExactly("spec.rules[2].matches");
            assertThat(((TrafficTarget) ok(document)).rules().get(2).matches()).isEmpty();
        }

        @ParameterizedTest
        @ValueSource(
                strings = {"0", "65536", "-1", "http", "'080'", "1.5", "true", "[80]", "''", "99999999999999999999"})
        void refusesAPortThatIsNone(String port) {
            assertThat(fields(object(TRAFFIC_TARGET, 3, LATER.formatted(", port: " + port))))
                    .containsExactly("spec.destination.port");
        }

        @Test
        void namesFieldsAsTheFirstVersionHasThem() {
            assertThat(fields(object(TRAFFIC_TARGET, 1, """
                            destination: {kind: ServiceAccount, port: http}
                            specs: [{kind: Service, name: s}, {name: t, matches: [5, '']}]
                            sources: [{kind: Group, name: g}]
                            rules: []
                            """)))
                    .containsExactly(
                            "rules",
                            "destination.name",
                            "sources[0].kind",
                            "specs[0].kind",
                            "specs[1].kind",
                            "specs[1].matches[0]",
                            "specs[1].matches[1]",
                            "destination.port");
            assertThat(fields(object(TRAFFIC_TARGET, 1, LATER.formatted("")))).containsExactly("spec");
        }

        @Test
        void thatIsBrokenStillSaysWhomItProtects() {
            String broken = LATER.formatted(", port: 80").replace("TCPRoute", "TCPRuote");
            assertThat(bad(object(TRAFFIC_TARGET, 3, broken)).protects())
                    .contains(new TrafficTarget(
                            SmiMetadata.of("shop", "it"),
                            new ServiceAccount("shop", "b"),
                            Optional.of(80),
                            List.of(),
                            List.of()));
            String misspeltKind = LATER.formatted("").replaceFirst("ServiceAccount", "ServiceAcount");
            assertThat(bad(object(TRAFFIC_TARGET, 3, misspeltKind)).protects()).isPresent();
        }

        @Test
        void thatNamesNoAccountProtectsNone() {
            assertThat(bad(object(TRAFFIC_TARGET, 3, LATER.formatted("").replace("name: b", "name: B")))
                            .protects())
                    .isEmpty();
            var inNoNamespace = object(TRAFFIC_TARGET, 3, LATER.formatted(""));
            inNoNamespace.withObjectProperty("metadata").put("namespace", "Shop");
            assertThat(bad(inNoNamespace).protects()).isEmpty();
            assertThat(bad(object(TRAFFIC_TARGET, 3, "spec: {rules: [], sources: []}"))
                            .protects())
                    .isEmpty();
            assertThat(bad(object(TRAFFIC_SPLIT, 4, "spec: {}")).protects()).isEmpty();
        }

        @Test
        void refusesAMisspeltRestriction() {
            assertThat(problems(
                            object(TRAFFIC_TARGET, 3, LATER.formatted("").replace("matches: [x, y]", "match: [x, y]"))))
                    .containsExactly(
                            "spec.rules[0].match: is no field of this version: remove it or correct its name; here are known: kind, matches, name");
        }
    }

    @Nested
    class AnHttpRouteGroup {
        private static final String LIST =
                "matches: [{name: m, pathRegex: /a, methods: [GET, POST], headers: {User-Agent: '.*', b: c}}, {name: n}]";

        @Test
        void isReadFromEveryVersion() {
            HTTPRouteGroup group = new HTTPRouteGroup(
                    SmiMetadata.of("shop", "it"),
                    List.of(
                            new HTTPRouteGroup.Match(
                                    "m",
                                    Optional.of("/a"),
                                    List.of("GET", "POST"),
                                    List.of(new Header("user-agent", ".*"), new Header("b", "c"))),
                            new HTTPRouteGroup.Match("n", Optional.empty(), List.of(), List.of())));
            for (int version = 1; version <= 4; version++) {
                assertThat(ok(object(HTTP_ROUTE_GROUP, version, version <= 2 ? LIST : "spec: {%s}".formatted(LIST))))
                        .isEqualTo(group);
            }
            assertThat(ok(object(HTTP_ROUTE_GROUP, 3, LIST))).isEqualTo(group);
            assertThat(ok(object(HTTP_ROUTE_GROUP, 4, LIST))).isEqualTo(group);
        }

        @ParameterizedTest
        @ValueSource(
                strings = {"{a: x, B: y}", "[{a: x}, {b: y}]", "[{a: x, b: y}]", "[{a: other}, {A: x}, {}, {b: y}]"})
        void takesHeadersOfEveryForm(String headers) {
            assertThat(headersOf(headers)).containsExactly(new Header("a", "x"), new Header("b", "y"));
        }

        @Test
        void takesTheLastConditionOnOneHeaderAndSaysSo() {
            assertThat(warnings(group("{name: m, headers: [{a: other}, {A: x}]}")))
                    .containsExactly("spec.matches[0].headers[1].A");
        }

        @Test
        void takesNoHeadersAsNoCondition() {
            for (String headers : new String[] {"{}", "[]", "null"}) {
                assertThat(headersOf(headers)).isEmpty();
            }
        }

        @Test
        void takesAStarAmongMethodsAsAny() {
            assertThat(((HTTPRouteGroup) ok(group("{name: m, methods: [GET, '*']}")))
                            .matches()
                            .getFirst()
                            .methods())
                    .isEmpty();
        }

        @Test
        void countsTheListInSpec() {
            var document = object(
                    HTTP_ROUTE_GROUP, 4, "matches: [{name: old, methods: [nonsense]}]\nspec: {matches: [{name: new}]}");
            assertThat(((HTTPRouteGroup) ok(document)).matches())
                    .map(HTTPRouteGroup.Match::name)
                    .containsExactly("new");
            assertThat(warnings(document)).containsExactly("matches");
        }

        @Test
        void warnsOfWhatLooksLikeAMistake() {
            assertThat(warnings(group("{name: m}, {name: m}"))).containsExactly("spec.matches[1].name");
            assertThat(warnings(object(HTTP_ROUTE_GROUP, 1, "matches: []"))).containsExactly("matches");
        }

        @Test
        void namesEveryProblemWhereItWasWritten() {
            assertThat(fields(object(HTTP_ROUTE_GROUP, 1, """
                            matches:
                            - {pathRegex: 5, methods: GET, headers: x}
                            - {name: '', methods: [get, 5, null], headers: {'a b': x, c: 5, d: null, ':path': x}}
                            - {name: m, path: /a, headers: [5, {a: []}]}
                            - m
                            """)))
                    .containsExactly(
                            "matches[0].name",
                            "matches[0].pathRegex",
                            "matches[0].methods",
                            "matches[0].headers",
                            "matches[1].name",
                            "matches[1].methods[0]",
                            "matches[1].methods[1]",
                            "matches[1].methods[2]",
                            "matches[1].headers[a b]",
                            "matches[1].headers.c",
                            "matches[1].headers.d",
                            "matches[1].headers[:path]",
                            "matches[2].path",
                            "matches[2].headers[0]",
                            "matches[2].headers[1].a",
                            "matches[3]",
                            "matches[3].name");
            assertThat(fields(object(HTTP_ROUTE_GROUP, 4, ""))).containsExactly("spec.matches");
            assertThat(fields(object(HTTP_ROUTE_GROUP, 4, "spec: {}"))).containsExactly("spec.matches");
            assertThat(fields(object(HTTP_ROUTE_GROUP, 4, "matches: {}"))).containsExactly("matches");
            assertThat(fields(object(HTTP_ROUTE_GROUP, 1, "spec: {matches: []}")))
                    .containsExactly("spec");
        }

        @Test
        void saysHowAMethodIsWritten() {
            assertThat(problems(group("{name: m, methods: [get]}")))
                    .containsExactly(
                            "spec.matches[0].methods[0]: is \"get\": write * or some of GET, HEAD, PUT, POST, DELETE, CONNECT,"
                                    + " OPTIONS, TRACE, PATCH");
        }

        private static List<Header> headersOf(String headers) {
            return ((HTTPRouteGroup) ok(group("{name: m, headers: %s}".formatted(headers))))
                    .matches()
                    .getFirst()
                    .headers();
        }

        private static JsonNode group(String entries) {
            return object(HTTP_ROUTE_GROUP, 4, "spec: {matches: [%s]}".formatted(entries));
        }
    }

    @Nested
    class ARouteOfPorts {
        @Test
        void isReadFromEveryVersion() {
            SmiMetadata metadata = SmiMetadata.of("shop", "it");
            assertThat(ok(object(TCP_ROUTE, 1, ""))).isEqualTo(new TCPRoute(metadata, List.of()));
            assertThat(ok(object(TCP_ROUTE, 2, ""))).isEqualTo(new TCPRoute(metadata, List.of()));
            assertThat(ok(object(TCP_ROUTE, 3, ""))).isEqualTo(new TCPRoute(metadata, List.of()));
            assertThat(ok(object(TCP_ROUTE, 3, "spec: {}"))).isEqualTo(new TCPRoute(metadata, List.of()));
            assertThat(ok(object(TCP_ROUTE, 4, "spec: {matches: {ports: []}}")))
                    .isEqualTo(new TCPRoute(metadata, List.of()));
            assertThat(ok(object(TCP_ROUTE, 4, "spec: {matches: {ports: [9090, '80'], name: n}}")))
                    .isEqualTo(new TCPRoute(metadata, List.of(9090, 80)));
            assertThat(ok(object(UDP_ROUTE, 4, "spec: {matches: {ports: [53]}}")))
                    .isEqualTo(new UDPRoute(metadata, List.of(53)));
        }

        @Test
        void keepsThePortsThatAnOlderVersionCannotShow() {
            var newest = object(TCP_ROUTE, 4, "spec: {matches: {ports: [9090]}}");
            for (int version = 1; version <= 3; version++) {
                assertThat(((TCPRoute) ok(SmiConverter.convert(newest, "specs.smi-spec.io/v1alpha" + version))).ports())
                        .containsExactly(9090);
            }
        }

        @Test
        void doesNotTakeARestrictionOfALaterVersionForAllPorts() {
            for (int version = 1; version <= 3; version++) {
                assertThat(fields(object(TCP_ROUTE, version, "spec: {matches: {ports: [80]}}")))
                        .containsExactly(version == 3 ? "spec.matches" : "spec");
            }
        }

        @ParameterizedTest
        @CsvSource(
                delimiter = '|',
                value = {
                    "''                                      | spec.matches",
                    "spec: {}                                | spec.matches",
                    "spec: {matches: {}}                     | spec.matches.ports",
                    "spec: {matches: {ports: 80}}            | spec.matches.ports",
                    "spec: {matches: {ports: [80, 0]}}       | spec.matches.ports[1]",
                    "spec: {matches: {ports: [http]}}        | spec.matches.ports[0]",
                    "spec: {matches: {ports: [null]}}        | spec.matches.ports[0]",
                    "spec: {matches: {ports: [], port: 80}}  | spec.matches.port",
                    "spec: {ports: [80], matches: {ports: []}} | spec.ports"
                })
        void refusesWhatCouldBeTakenForAllPorts(String body, String field) {
            assertThat(fields(object(TCP_ROUTE, 4, body))).containsExactly(field);
            assertThat(fields(object(UDP_ROUTE, 4, body))).containsExactly(field);
        }
    }

    private static SmiObject ok(JsonNode document) {
        Parsed read = SmiReader.read(document);
        assertThat(read).as(read::toString).isInstanceOf(Parsed.Ok.class);
        return ((Parsed.Ok) read).object();
    }

    private static Parsed.Bad bad(JsonNode document) {
        Parsed read = SmiReader.read(document);
        assertThat(read).as(read::toString).isInstanceOf(Parsed.Bad.class);
        return (Parsed.Bad) read;
    }

    private static List<String> problems(JsonNode document) {
        return bad(document).problems().stream().map(FieldProblem::toString).toList();
    }

    private static List<String> fields(JsonNode document) {
        return bad(document).problems().stream().map(FieldProblem::field).toList();
    }

    private static List<String> warnings(JsonNode document) {
        ok(document);
        return ((Parsed.Ok) SmiReader.read(document))
                .warnings().stream().map(FieldProblem::field).toList();
    }
}
