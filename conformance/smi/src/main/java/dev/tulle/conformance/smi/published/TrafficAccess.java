package dev.tulle.conformance.smi.published;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tulle.conformance.smi.harness.Case;
import dev.tulle.conformance.smi.harness.Group;
import dev.tulle.conformance.smi.harness.Measured;
import java.util.List;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The published group traffic-access, its seven steps. */
@Group(value = "traffic-access", published = true)
class TrafficAccess {
    private static final String GRANT = """
            apiVersion: specs.smi-spec.io/v1alpha4
            kind: TCPRoute
            metadata: {name: service-tcp-route, namespace: "@NAMESPACE@"}
            spec: {matches: {ports: []}}
            ---
            apiVersion: access.smi-spec.io/v1alpha3
            kind: TrafficTarget
            metadata: {name: service-targets, namespace: "@NAMESPACE@"}
            spec:
              destination: {kind: ServiceAccount, name: service-b, namespace: "@NAMESPACE@"}
              sources: [{kind: ServiceAccount, name: service-a, namespace: "@NAMESPACE@"}]
              rules: [{kind: TCPRoute, name: service-tcp-route}]
            """;

    @RegisterExtension
    static final Apps APPS = new Apps("traffic-access");

    private static boolean granted;

    @Case(
            id = "01-definition",
            says = "TrafficTargets are defined under their names.",
            api = "TrafficTarget",
            versions = "v1alpha3")
    void definition() {
        Apps.assertDefined("traffictargets.access.smi-spec.io", "TrafficTarget", "tt");
    }

    @Case(
            id = "02-install",
            says = "Three applications of one service account each become ready in the mesh.",
            api = "TrafficTarget",
            versions = "v1alpha3")
    void install() {
        APPS.install(Apps.withAccounts());
    }

    @Case(
            id = "03-traffic-default",
            says = "Nothing is allowed that no TrafficTarget allows, and who is refused gets an HTTP status.",
            api = "TrafficTarget",
            versions = "v1alpha3")
    void trafficDefault(Measured measured) {
        assertRefused(measured);
    }

    @Case(
            id = "04-install",
            says = "A TrafficTarget with a TCPRoute without ports is read back as it was written.",
            api = "TrafficTarget",
            versions = "v1alpha3")
    void grant() {
        APPS.place().apply(GRANT);
        APPS.place().assertThere(GRANT);
    }

    @Case(
            id = "05-traffic-allowed",
            says =
                    "A TrafficTarget with a TCPRoute alone allows HTTP from its source to its destination, within 5 s; who is no source is refused as before.",
            api = "TrafficTarget",
            versions = "v1alpha3")
    void trafficAllowed(Measured measured) {
        // When
        Metrics a = echo(measured);
        APPS.call(Apps.C, "GET", APPS.url(Apps.B, "echo"));
        // Then
        String request = "GET " + APPS.url(Apps.B, "echo");
        Apps.hold(a.succeeded().equals(List.of(request)) && a.failed().isEmpty(), "app-a's %s is allowed", request, a);
        Metrics c = APPS.metrics(Apps.C);
        Apps.hold(
                c.failed().equals(List.of(request)) && c.succeeded().isEmpty(),
                "app-c's %s is refused with a status",
                request,
                c);
        List<String> callers = APPS.metrics(Apps.B).received();
        Apps.hold(callers.equals(List.of(Apps.A)), "of %s app-b sees that of app-a and no other", request, callers);
        granted = true;
    }

    @Case(
            id = "06-delete",
            says = "Both objects are gone when they are deleted.",
            api = "TrafficTarget",
            versions = "v1alpha3")
    void delete() {
        APPS.place().delete("access.smi-spec.io/v1alpha3", "TrafficTarget", "service-targets");
        APPS.place().delete("specs.smi-spec.io/v1alpha4", "TCPRoute", "service-tcp-route");
    }

    @Case(
            id = "07-traffic-blocked",
            says = "What a TrafficTarget allowed is refused again within 5 s of its end.",
            api = "TrafficTarget",
            versions = "v1alpha3")
    void trafficBlocked(Measured measured) {
        assumeTrue(granted, "step 05 saw nothing allowed that could be refused again");
        assertRefused(measured);
    }

    private static void assertRefused(Measured measured) {
        // When
        Metrics a = echo(measured);
        // Then
        String request = "GET " + APPS.url(Apps.B, "echo");
        Apps.hold(
                a.failed().equals(List.of(request)) && a.succeeded().isEmpty(),
                "app-a's %s is refused with a status",
                request,
                a);
        List<String> callers = APPS.metrics(Apps.B).received();
        Apps.hold(callers.isEmpty(), "app-b sees nothing of %s", request, callers);
    }

    private static Metrics echo(Measured measured) {
        APPS.settle();
        APPS.call(Apps.A, "GET", APPS.url(Apps.B, "echo"));
        Metrics a = APPS.metrics(Apps.A);
        measured.note("allowed", a.succeeded().size())
                .note("refused", a.failed().size());
        return a;
    }
}
