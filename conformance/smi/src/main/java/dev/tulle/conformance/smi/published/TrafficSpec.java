package dev.tulle.conformance.smi.published;

import dev.tulle.conformance.smi.harness.Case;
import dev.tulle.conformance.smi.harness.Group;
import dev.tulle.conformance.smi.harness.Measured;
import java.util.List;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The published group traffic-spec, its six steps. */
@Group(value = "traffic-spec", published = true)
class TrafficSpec {
    /** {@code matches} at the root, as before v1alpha3, and a port that is text: both are to be kept. */
    private static final String BY_PATH = """
            apiVersion: specs.smi-spec.io/v1alpha4
            kind: HTTPRouteGroup
            metadata: {name: http-rg, namespace: "@NAMESPACE@"}
            matches: [{name: testMatch, pathRegex: /metrics, methods: ["*"]}]
            ---
            """;

    private static final String TARGET = """
            apiVersion: access.smi-spec.io/v1alpha3
            kind: TrafficTarget
            metadata: {name: service-targets, namespace: "@NAMESPACE@"}
            spec:
              destination: {kind: ServiceAccount, name: service-b, namespace: "@NAMESPACE@", port: "9091"}
              sources: [{kind: ServiceAccount, name: service-a, namespace: "@NAMESPACE@"}]
              rules: [{kind: HTTPRouteGroup, name: http-rg, matches: [testMatch]}]
            """;

    private static final String BY_METHOD = """
            apiVersion: specs.smi-spec.io/v1alpha4
            kind: HTTPRouteGroup
            metadata: {name: http-rg, namespace: "@NAMESPACE@"}
            spec: {matches: [{name: testMatch, pathRegex: ".*", methods: [GET]}]}
            ---
            """;

    @RegisterExtension
    static final Apps APPS = new Apps("traffic-spec");

    @Case(
            id = "01-definition",
            says = "HTTPRouteGroups are defined under their names.",
            api = "HTTPRouteGroup",
            versions = "v1alpha4")
    void definition() {
        Apps.assertDefined("httproutegroups.specs.smi-spec.io", "HTTPRouteGroup", "htr");
    }

    @Case(
            id = "02-install",
            says = "Three applications of one service account each become ready in the mesh.",
            api = "HTTPRouteGroup",
            versions = "v1alpha4")
    void install() {
        APPS.install(Apps.withAccounts());
    }

    @Case(
            id = "03-install",
            says =
                    "A route group with its matches at the root and a target with a port that is text are read back as they were written.",
            api = "HTTPRouteGroup",
            versions = "v1alpha4")
    void byPath() {
        APPS.place().apply(BY_PATH + TARGET);
        APPS.place().assertThere(BY_PATH + TARGET);
    }

    @Case(
            id = "04-traffic-path",
            says = "The matches at the root count: the path decides, request by request.",
            api = "HTTPRouteGroup",
            versions = "v1alpha4")
    void trafficPath(Measured measured) {
        // Given
        APPS.settle();
        // When
        APPS.call(Apps.A, "GET", APPS.url(Apps.B, "metrics"));
        APPS.call(Apps.A, "GET", APPS.url(Apps.B, "echo"));
        // Then
        assertOneOfEach(measured, "GET " + APPS.url(Apps.B, "metrics"), "GET " + APPS.url(Apps.B, "echo"));
        List<String> callers = APPS.metrics(Apps.B).received();
        Apps.hold(callers.isEmpty(), "app-b sees nothing of %s", "GET /echo", callers);
    }

    @Case(
            id = "05-install",
            says = "Matches in spec are merged beside those at the root and read back.",
            api = "HTTPRouteGroup",
            versions = "v1alpha4")
    void byMethod() {
        APPS.place().apply(BY_METHOD + TARGET);
        APPS.place().assertThere(BY_METHOD + TARGET);
    }

    @Case(
            id = "06-traffic-method",
            says = "The matches in spec count before those at the root: the method decides, request by request.",
            api = "HTTPRouteGroup",
            versions = "v1alpha4")
    void trafficMethod(Measured measured) {
        // Given
        APPS.settle();
        // When
        APPS.call(Apps.A, "GET", APPS.url(Apps.B, "echo"));
        APPS.call(Apps.A, "POST", APPS.url(Apps.B, "echo"));
        // Then
        assertOneOfEach(measured, "GET " + APPS.url(Apps.B, "echo"), "POST " + APPS.url(Apps.B, "echo"));
        List<String> callers = APPS.metrics(Apps.B).received();
        Apps.hold(callers.equals(List.of(Apps.A)), "app-b sees one %s and no other request", "GET /echo", callers);
    }

    private static void assertOneOfEach(Measured measured, String allowed, String refused) {
        Metrics a = APPS.metrics(Apps.A);
        measured.note("allowed", a.succeeded().size())
                .note("refused", a.failed().size());
        Apps.hold(
                a.succeeded().equals(List.of(allowed)) && a.failed().equals(List.of(refused)),
                "app-a's " + allowed + " is allowed, its %s refused with a status",
                refused,
                a);
    }
}
