package dev.tulle.smi;

import static dev.tulle.smi.Documents.definition;
import static dev.tulle.smi.Documents.object;
import static dev.tulle.smi.Documents.schema;
import static dev.tulle.smi.SmiKind.HTTP_ROUTE_GROUP;
import static dev.tulle.smi.SmiKind.TCP_ROUTE;
import static dev.tulle.smi.SmiKind.TRAFFIC_SPLIT;
import static dev.tulle.smi.SmiKind.TRAFFIC_TARGET;
import static dev.tulle.smi.SmiKind.UDP_ROUTE;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tulle.smi.convert.Weights;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DefinitionsTest {
    @ParameterizedTest
    @EnumSource
    void namesTheKindAsTheSpecificationDoes(SmiKind kind) {
        JsonNode definition = definition(kind);
        assertThat(definition.at("/metadata/name").asText()).isEqualTo(kind.definitionName());
        assertThat(definition.at("/spec/group").asText()).isEqualTo(kind.group());
        assertThat(definition.at("/spec/scope").asText()).isEqualTo("Namespaced");
        JsonNode names = definition.at("/spec/names");
        assertThat(names.path("kind").asText()).isEqualTo(kind.kind());
        assertThat(names.path("listKind").asText()).isEqualTo(kind.listKind());
        assertThat(names.path("plural").asText()).isEqualTo(kind.plural());
        assertThat(names.path("singular").asText()).isEqualTo(kind.singular());
        assertThat(names.path("shortNames")).map(JsonNode::asText).containsExactly(kind.shortName());
    }

    @Test
    void usesTheNamesThatClientsKnow() {
        assertThat(TRAFFIC_SPLIT.definitionName()).isEqualTo("trafficsplits.split.smi-spec.io");
        assertThat(TRAFFIC_TARGET.definitionName()).isEqualTo("traffictargets.access.smi-spec.io");
        assertThat(HTTP_ROUTE_GROUP.definitionName()).isEqualTo("httproutegroups.specs.smi-spec.io");
        assertThat(TCP_ROUTE.definitionName()).isEqualTo("tcproutes.specs.smi-spec.io");
        assertThat(UDP_ROUTE.definitionName()).isEqualTo("udproutes.specs.smi-spec.io");
        assertThat(List.of(SmiKind.values())).map(SmiKind::shortName).containsExactly("ts", "tt", "htr", "tr", "ur");
    }

    @ParameterizedTest
    @EnumSource
    void servesEveryVersionAndStoresTheNewest(SmiKind kind) {
        List<String> served = new ArrayList<>();
        List<String> stored = new ArrayList<>();
        for (JsonNode version : definition(kind).at("/spec/versions")) {
            if (version.path("served").asBoolean()) {
                served.add(version.path("name").asText());
            }
            if (version.path("storage").asBoolean()) {
                stored.add(version.path("name").asText());
            }
        }
        assertThat(served).isEqualTo(kind.versions());
        assertThat(stored).containsExactly(kind.newestVersion());
    }

    @ParameterizedTest
    @EnumSource
    void isConvertedByTheControllerWhereThereIsAnythingToConvert(SmiKind kind) {
        JsonNode conversion = definition(kind).at("/spec/conversion");
        if (kind.versions().size() == 1) {
            assertThat(conversion.isMissingNode()).isTrue();
            return;
        }
        assertThat(conversion.path("strategy").asText()).isEqualTo("Webhook");
        assertThat(conversion.at("/webhook/conversionReviewVersions/0").asText())
                .isEqualTo("v1");
        JsonNode client = conversion.at("/webhook/clientConfig");
        assertThat(client.at("/service/name").asText()).isEqualTo("tulle-webhook");
        assertThat(client.at("/service/namespace").asText()).isEqualTo("tulle-system");
        assertThat(client.at("/service/path").asText()).isEqualTo("/convert");
        assertThat(client.has("caBundle")).as("a generated value in the file").isFalse();
    }

    @ParameterizedTest
    @EnumSource
    void hasOnlyStructuralSchemas(SmiKind kind) {
        for (String version : kind.versions()) {
            assertThat(schema(kind, version).faults()).as(version).isEmpty();
        }
    }

    @Test
    void showsTheServiceOfASplitInItsOwnColumn() {
        for (JsonNode version : definition(TRAFFIC_SPLIT).at("/spec/versions")) {
            assertThat(version.at("/additionalPrinterColumns/0/name").asText()).isEqualTo("Service");
            assertThat(version.at("/additionalPrinterColumns/0/jsonPath").asText())
                    .isEqualTo(".spec.service");
        }
    }

    @Test
    void acceptsTheQuantitiesThatTheConverterReads() {
        assertThat(definition(TRAFFIC_SPLIT)
                        .at(
                                "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/backends/items/properties/weight/pattern")
                        .asText())
                .isEqualTo(Weights.QUANTITY);
    }

    @Test
    void keepsWhatTheConformanceSuiteReadsBack() {
        assertKept(object(HTTP_ROUTE_GROUP, 4, "matches: [{name: testMatch, pathRegex: /metrics, methods: ['*']}]"));
        assertKept(object(HTTP_ROUTE_GROUP, 4, """
                matches: [{name: testMatch, pathRegex: /metrics, methods: ['*']}]
                spec: {matches: [{name: testMatch, pathRegex: '.*', methods: [GET]}]}
                """));
        assertKept(object(TRAFFIC_TARGET, 3, """
                        spec:
                          destination: {kind: ServiceAccount, name: b, namespace: shop, port: "9091"}
                          rules: [{kind: HTTPRouteGroup, name: http-rg, matches: [testMatch]}]
                          sources: [{kind: ServiceAccount, name: a, namespace: shop}]
                        """));
        assertKept(object(TCP_ROUTE, 4, "spec: {matches: {ports: []}}"));
    }

    @Test
    void keepsHeadersOfEveryForm() {
        for (int version = 1; version <= 4; version++) {
            String list = version <= 2 ? "matches: %s" : "spec: {matches: %s}";
            assertKept(object(HTTP_ROUTE_GROUP, version, list.formatted("[{name: m, headers: {user-agent: '.*'}}]")));
            assertKept(object(
                    HTTP_ROUTE_GROUP,
                    version,
                    list.formatted("[{name: m, headers: [{user-agent: '.*'}, {a: b, c: d}]}]")));
        }
    }

    @Test
    void keepsWhatFlaggerWrites() {
        String split =
                "spec: {service: podinfo, backends: [{service: podinfo-canary, weight: %s}, {service: podinfo-primary, weight: %s}]}";
        assertKept(object(TRAFFIC_SPLIT, 1, split.formatted("'0'", "'100'")));
        assertKept(object(TRAFFIC_SPLIT, 2, split.formatted("0", "100")));
        assertKept(object(TRAFFIC_SPLIT, 3, split.formatted("0", "100")));
    }

    @Test
    void takesOlderRoutesWithoutSpecAndTargetsWithoutPort() {
        assertKept(object(TCP_ROUTE, 1, ""));
        assertKept(object(TCP_ROUTE, 2, ""));
        assertKept(object(TCP_ROUTE, 3, ""));
        assertKept(object(TCP_ROUTE, 3, "spec: {}"));
        assertKept(object(TRAFFIC_TARGET, 1, """
                        destination: {kind: ServiceAccount, name: b}
                        specs: [{kind: TCPRoute, name: all}]
                        sources: [{kind: ServiceAccount, name: a}]
                        """));
    }

    @Test
    void refusesWhatNobodyCouldRead() {
        assertRefused(object(TRAFFIC_SPLIT, 4, "spec: {service: a, backends: [{service: b, weight: -1}]}"));
        assertRefused(object(TRAFFIC_SPLIT, 4, "spec: {service: a, backends: [{service: b, weight: '1'}]}"));
        assertRefused(object(TRAFFIC_SPLIT, 1, "spec: {service: a, backends: [{service: b, weight: '-1m'}]}"));
        assertRefused(object(TRAFFIC_SPLIT, 4, "spec: {service: a}"));
        assertRefused(
                object(TRAFFIC_SPLIT, 4, "spec: {service: a, backends: [], matches: [{kind: TCPRoute, name: t}]}"));
        assertRefused(object(HTTP_ROUTE_GROUP, 4, "spec: {matches: [{name: m, methods: [get]}]}"));
        assertRefused(object(TRAFFIC_TARGET, 3, "spec: {destination: {kind: ServiceAccount, name: b}, rules: []}"));
        assertRefused(object(
                TRAFFIC_TARGET,
                3,
                "spec: {destination: {kind: ServiceAccount, name: b, port: http}, rules: [], sources: []}"));
        assertRefused(object(TCP_ROUTE, 4, "spec: {matches: {ports: [0]}}"));
        assertRefused(object(UDP_ROUTE, 4, "spec: {}"));
    }

    private static void assertKept(ObjectNode object) {
        StructuralSchema schema = schemaOf(object);
        assertThat(schema.refusals(object)).isEmpty();
        assertThat(schema.pruned(object)).isEqualTo(object);
    }

    private static void assertRefused(ObjectNode object) {
        assertThat(schemaOf(object).refusals(object)).hasSize(1);
    }

    private static StructuralSchema schemaOf(ObjectNode object) {
        String apiVersion = object.path("apiVersion").asText();
        SmiKind kind = SmiKind.of(apiVersion, object.path("kind").asText()).orElseThrow();
        return schema(kind, apiVersion.substring(apiVersion.indexOf('/') + 1));
    }
}
