package dev.tulle.conformance.smi.published;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.conformance.smi.harness.Case;
import dev.tulle.conformance.smi.harness.Group;
import dev.tulle.conformance.smi.harness.Measured;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The published group traffic-split, its eleven steps: no TrafficTarget, one service account for all, and one keep-alive connection for all requests. */
@Group(value = "traffic-split", published = true)
class TrafficSplit {
    private static final int CALLS = 50;

    @RegisterExtension
    static final Apps APPS = new Apps("traffic-split");

    @Case(
            id = "01-definition",
            says = "TrafficSplits are defined under their names.",
            api = "TrafficSplit",
            versions = "v1alpha4")
    void definition() {
        Apps.assertDefined("trafficsplits.split.smi-spec.io", "TrafficSplit", "ts");
    }

    @Case(
            id = "02-install",
            says = "Three applications without a service account of their own become ready in the mesh.",
            api = "TrafficSplit",
            versions = "v1alpha4")
    void install() {
        APPS.install(Apps.application(Apps.A, "{app: app-a}", "")
                + Apps.application(Apps.B, "{app: app, version: b}", "")
                + Apps.application(Apps.C, "{app: app, version: c}", "")
                + Apps.service("app-svc", "{app: app}"));
    }

    @Case(
            id = "03-traffic-default",
            says = "Without a split all pods of a Service get requests, also those of one connection.",
            api = "TrafficSplit",
            versions = "v1alpha4")
    void trafficDefault(Measured measured) {
        Shares shares = shares(measured);
        assertThat(shares.b()).as("app-b of " + shares).isPositive();
        assertThat(shares.c()).as("app-c of " + shares).isPositive();
    }

    @Case(
            id = "04-install",
            says = "A split of 1 to 0 is read back as it was written.",
            api = "TrafficSplit",
            versions = "v1alpha4")
    void installOnlyB() {
        split(1, 0);
    }

    @Case(
            id = "05-traffic-only-b",
            says = "A backend of weight 0 gets nothing, and nothing is sent twice.",
            api = "TrafficSplit",
            versions = "v1alpha4")
    void trafficOnlyB(Measured measured) {
        assertThat(shares(measured)).isEqualTo(new Shares(CALLS, 0));
    }

    @Case(
            id = "06-install",
            says = "A split of 0 to 1 is read back as it was written.",
            api = "TrafficSplit",
            versions = "v1alpha4")
    void installOnlyC() {
        split(0, 1);
    }

    @Case(
            id = "07-traffic-only-c",
            says = "A change of weights counts within 5 s, for open connections too.",
            api = "TrafficSplit",
            versions = "v1alpha4")
    void trafficOnlyC(Measured measured) {
        assertThat(shares(measured)).isEqualTo(new Shares(0, CALLS));
    }

    @Case(
            id = "08-install",
            says = "A split of 75 to 25 is read back as it was written.",
            api = "TrafficSplit",
            versions = "v1alpha4")
    void installMoreB() {
        split(75, 25);
    }

    @Case(
            id = "09-traffic-more-b",
            says = "The greater weight gets more requests.",
            api = "TrafficSplit",
            versions = "v1alpha4")
    void trafficMoreB(Measured measured) {
        Shares shares = shares(measured);
        assertThat(shares.b()).as("app-b of " + shares).isGreaterThan(shares.c());
    }

    @Case(
            id = "10-install",
            says = "A split of 25 to 75 is read back as it was written.",
            api = "TrafficSplit",
            versions = "v1alpha4")
    void installMoreC() {
        split(25, 75);
    }

    @Case(
            id = "11-traffic-more-c",
            says = "The greater weight gets more requests, also when weights change places.",
            api = "TrafficSplit",
            versions = "v1alpha4")
    void trafficMoreC(Measured measured) {
        Shares shares = shares(measured);
        assertThat(shares.c()).as("app-c of " + shares).isGreaterThan(shares.b());
    }

    private static void split(int b, int c) {
        String yaml = """
                apiVersion: split.smi-spec.io/v1alpha4
                kind: TrafficSplit
                metadata: {name: server-split, namespace: "@NAMESPACE@"}
                spec: {service: app-svc, backends: [{service: app-b, weight: %d}, {service: app-c, weight: %d}]}
                """.formatted(b, c);
        APPS.place().apply(yaml);
        APPS.place().assertThere(yaml);
    }

    /** Has app-a call the Service so often, one after the other, and gives who received how many; every one must have been answered. */
    private static Shares shares(Measured measured) {
        APPS.settle();
        for (int i = 0; i < CALLS; i++) {
            APPS.call("GET", APPS.url("app-svc", "echo"));
        }
        Shares shares = new Shares(
                APPS.metrics(Apps.B).received().size(),
                APPS.metrics(Apps.C).received().size());
        measured.note("b", shares.b()).note("c", shares.c());
        Metrics a = APPS.metrics(Apps.A);
        assertThat(a.succeeded())
                .as("answered of %d; received %s".formatted(CALLS, shares))
                .hasSize(CALLS);
        assertThat(shares.b() + shares.c())
                .as("received of %d: %s".formatted(CALLS, shares))
                .isEqualTo(CALLS);
        return shares;
    }

    /** Requests that app-b and app-c received. */
    private record Shares(int b, int c) {}
}
