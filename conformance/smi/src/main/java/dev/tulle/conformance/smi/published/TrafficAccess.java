package dev.tulle.conformance.smi.published;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.conformance.smi.harness.Case;
import dev.tulle.conformance.smi.harness.Group;
import dev.tulle.conformance.smi.harness.Measured;
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
            says = "A TrafficTarget with a TCPRoute alone allows HTTP from its source to its destination, within 5 s.",
            api = "TrafficTarget",
            versions = "v1alpha3")
    void trafficAllowed(Measured measured) {
        // When
        Metrics a = echo(measured);
        // Then
        assertThat(a.succeeded()).as("allowed of 1, of " + a).containsExactly("GET " + APPS.url(Apps.B, "echo"));
        assertThat(a.failed()).as("refused of 1").isEmpty();
        assertThat(APPS.metrics(Apps.B).received()).as("callers that app-b saw").containsExactly(Apps.A);
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
        assertRefused(measured);
    }

    private static void assertRefused(Measured measured) {
        // When
        Metrics a = echo(measured);
        // Then
        assertThat(a.failed())
                .as("refused with a status, of 1; of " + a)
                .containsExactly("GET " + APPS.url(Apps.B, "echo"));
        assertThat(a.succeeded()).as("allowed of 1").isEmpty();
        assertThat(APPS.metrics(Apps.B).received()).as("callers that app-b saw").isEmpty();
    }

    private static Metrics echo(Measured measured) {
        APPS.settle();
        APPS.call("GET", APPS.url(Apps.B, "echo"));
        Metrics a = APPS.metrics(Apps.A);
        measured.note("allowed", a.succeeded().size())
                .note("refused", a.failed().size());
        return a;
    }
}
