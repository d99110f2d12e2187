package dev.tulle.conformance.smi.published;

import dev.tulle.conformance.smi.harness.Case;
import dev.tulle.conformance.smi.harness.Group;
import dev.tulle.conformance.smi.harness.Measured;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The published group traffic-split, its eleven steps: no TrafficTarget, one service account for all, and one keep-alive connection for all requests.
 *
 * <p>A kept connection alone leads all requests to one pod in a cluster without a mesh too, so each step of a split also asks on new ones.
 */
@Group(value = "traffic-split", published = true)
class TrafficSplit {
    /** On the connection that is kept, as the published suite does. */
    private static final int CALLS = 50;

    private static final int ON_NEW_CONNECTIONS = 200;

    /** Three quarters of these, less five standard deviations of a draw: without weights it is half of them. */
    private static final int THREE_QUARTERS = 119;

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
        APPS.settle();
        Shares kept = shares(measured, false, CALLS);
        Apps.hold(kept.b() > 0 && kept.c() > 0, "app-b and app-c get some of %s", said(CALLS), kept);
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
        APPS.settle();
        Shares kept = shares(measured, false, CALLS);
        Apps.hold(kept.c() == 0, "app-b gets all of %s", said(CALLS), kept);
        Shares other = shares(measured, true, CALLS);
        Apps.hold(other.c() == 0, "app-b gets all of %s on new connections", said(CALLS), other);
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
        APPS.settle();
        Shares kept = shares(measured, false, CALLS);
        Apps.hold(kept.b() == 0, "app-c gets all of %s", said(CALLS), kept);
        Shares other = shares(measured, true, CALLS);
        Apps.hold(other.b() == 0, "app-c gets all of %s on new connections", said(CALLS), other);
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
        APPS.settle();
        Shares kept = shares(measured, false, CALLS);
        Apps.hold(kept.b() > kept.c(), "app-b gets more of %s than app-c", said(CALLS), kept);
        Shares other = shares(measured, true, ON_NEW_CONNECTIONS);
        Apps.hold(
                other.b() >= THREE_QUARTERS,
                "app-b gets about three quarters of %s on new connections, at least " + THREE_QUARTERS,
                said(ON_NEW_CONNECTIONS),
                other);
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
        APPS.settle();
        Shares kept = shares(measured, false, CALLS);
        Apps.hold(kept.c() > kept.b(), "app-c gets more of %s than app-b", said(CALLS), kept);
        Shares other = shares(measured, true, ON_NEW_CONNECTIONS);
        Apps.hold(
                other.c() >= THREE_QUARTERS,
                "app-c gets about three quarters of %s on new connections, at least " + THREE_QUARTERS,
                said(ON_NEW_CONNECTIONS),
                other);
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
    private static Shares shares(Measured measured, boolean onNewConnections, int calls) {
        APPS.forget();
        String url = APPS.url("app-svc", "echo");
        for (int i = 0; i < calls; i++) {
            if (onNewConnections) {
                APPS.callOnNewConnection(Apps.A, "GET", url);
            } else {
                APPS.call(Apps.A, "GET", url);
            }
        }
        Shares shares = new Shares(
                APPS.metrics(Apps.B).received().size(),
                APPS.metrics(Apps.C).received().size());
        String way = onNewConnections ? " on new connections" : "";
        measured.note("b" + way, shares.b()).note("c" + way, shares.c());
        int answered = APPS.metrics(Apps.A).succeeded().size();
        Apps.hold(
                answered == calls && shares.b() + shares.c() == calls,
                "each of %s is answered, and received once",
                said(calls) + way,
                "%d answered, received by %s".formatted(answered, shares));
        return shares;
    }

    private static String said(int calls) {
        return calls + " calls of app-svc by app-a";
    }

    /** Requests that app-b and app-c received. */
    private record Shares(int b, int c) {
        @Override
        public String toString() {
            return "app-b (%d), app-c (%d)".formatted(b, c);
        }
    }
}
