package dev.tulle.conformance.smi.sentences;

import static dev.tulle.conformance.smi.harness.Within.live;
import static dev.tulle.conformance.smi.sentences.Expect.answered;
import static dev.tulle.conformance.smi.sentences.Expect.answeredBy;
import static dev.tulle.conformance.smi.sentences.Expect.answeredByAll;
import static dev.tulle.conformance.smi.sentences.Expect.hold;
import static dev.tulle.conformance.smi.sentences.Expect.share;
import static dev.tulle.conformance.smi.sentences.Objects.everything;
import static dev.tulle.conformance.smi.sentences.Objects.split;

import dev.tulle.conformance.smi.harness.App;
import dev.tulle.conformance.smi.harness.Calls;
import dev.tulle.conformance.smi.harness.Case;
import dev.tulle.conformance.smi.harness.Cluster;
import dev.tulle.conformance.smi.harness.Group;
import dev.tulle.conformance.smi.harness.Measured;
import dev.tulle.conformance.smi.harness.Pod;
import dev.tulle.conformance.smi.harness.Request;
import dev.tulle.conformance.smi.harness.Stage;
import dev.tulle.conformance.smi.harness.Within;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Splits of a root Service that selects one pod of its own, over backends that select others: whoever answers says which way was taken.
 *
 * <p>Every case begins with the root's own pod answering all, so what it then sees came from its own objects.
 */
@Group("split")
final class SplitCases {
    @RegisterExtension
    static final Stage STAGE = Stage.of(
            "split",
            Pod.named("alice"),
            Pod.named("bob"),
            Pod.named("shop").label("many", "yes"),
            Pod.named("v1").runningAs("shop"),
            Pod.named("v2").runningAs("shop").label("many", "yes"),
            Pod.named("v3").runningAs("shop").label("many", "yes"),
            Pod.named("far").in("away").runningAs("shop"),
            Pod.named("far-next").in("away").runningAs("shop"));

    private static final String ROOT = "http://shop:" + App.HTTP + "/";
    private static final String ROOT_SECOND = "http://shop:" + App.HTTP_ALT + "/";
    private static final String ROOT_TCP = "shop:" + App.TCP;

    /** Enough for a share of a quarter to tell itself from a third, and for one that is off by a tenth of all. */
    private static final int MANY = 1000;

    @BeforeAll
    static void letCallersIn() {
        String home = STAGE.home().name();
        STAGE.keep(Pod.HOME, everything("shop", "alice", "bob") + SERVICES);
        STAGE.keep("away", everything("shop", home + "/alice") + """
                ---
                apiVersion: v1
                kind: Service
                metadata: {name: shop}
                spec: {selector: {app: far}, ports: [{name: http, port: 9091}]}
                """);
    }

    private static final String SERVICES = """
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: many}
            spec: {selector: {many: "yes"}, ports: [{name: http, port: 9091}]}
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: v2-moved}
            spec: {selector: {app: v2}, ports: [{name: http, port: 9091, targetPort: 9095}, {name: http-alt, port: 9095, targetPort: 9091}]}
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: v3-by-name}
            spec: {selector: {app: v3}, ports: [{name: http, port: 9091, targetPort: http-alt}]}
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: v2-narrow}
            spec: {selector: {app: v2}, ports: [{name: http, port: 9091}]}
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: v2-renumbered}
            spec: {selector: {app: v2}, ports: [{name: http, port: 1024, targetPort: 9091}]}
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: v2-headless}
            spec: {clusterIP: None, selector: {app: v2}, ports: [{name: http, port: 9091}]}
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: v2-node-port}
            spec: {type: NodePort, selector: {app: v2}, ports: [{name: http, port: 9091}]}
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: hollow}
            spec: {selector: {app: nobody}, ports: [{name: http, port: 9091}, {name: tcp, port: 9093}, {name: http-alt, port: 9095}]}
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: shop-headless}
            spec: {clusterIP: None, selector: {app: shop}, ports: [{name: http, port: 9091}]}
            """;

    private static Calls shop(int times) {
        return STAGE.call("alice", Request.get(ROOT).times(times));
    }

    @BeforeEach
    void theRootAloneAnswers() {
        STAGE.begin("without a split the root's own pod answers", () -> {
            answeredBy(shop(10), "shop");
            answeredBy(STAGE.call("alice", Request.get(ROOT_SECOND).times(5)), "shop");
            answeredBy(STAGE.connect("alice", ROOT_TCP, 5), "shop");
        });
    }

    // Weights

    @Case(
            id = "weights-75-25",
            says =
                    "Traffic to the root Service goes to the backends in proportion to their weights, and none of it to pods that only the root selects.",
            api = "TrafficSplit",
            versions = {"v1alpha1", "v1alpha2", "v1alpha3", "v1alpha4"})
    void sharesAreAsTheWeights(String version, Measured measured) {
        STAGE.apply(split(version, "shop", "shop", "v1", 75, "v2", 25));
        live("the backends answer", () -> answeredBy(shop(10), "v1", "v2"));
        Calls calls = answeredBy(shop(MANY), "v1", "v2");
        measured.note("shares", calls.shares());
        share(calls, 25, 100, "v2");
    }

    @Case(
            id = "weights-1-0",
            says = "A backend of weight 0 gets not one request, whichever it is.",
            api = "TrafficSplit",
            versions = {"v1alpha1", "v1alpha2", "v1alpha3", "v1alpha4"})
    void nothingForWeightZero(String version) {
        STAGE.apply(split(version, "shop", "shop", "v1", 1, "v2", 0));
        live("the first backend answers", () -> answeredBy(shop(10), "v1"));
        answeredBy(shop(500), "v1");
        STAGE.apply(split(version, "shop", "shop", "v1", 0, "v2", 1));
        live("the second backend answers", () -> answeredBy(shop(10), "v2"));
        answeredBy(shop(500), "v2");
    }

    @Case(
            id = "weights-33-33-34",
            says = "Any number of backends takes part, each with its own weight.",
            api = "TrafficSplit",
            versions = {"v1alpha4"})
    void threeBackends(String version, Measured measured) {
        STAGE.apply(split(version, "shop", "shop", "v1", 33, "v2", 33, "v3", 34));
        live("all three backends answer", () -> answeredByAll(shop(60), "v1", "v2", "v3"));
        Calls calls = answeredBy(shop(MANY), "v1", "v2", "v3");
        measured.note("shares", calls.shares());
        share(calls, 33, 100, "v1");
        share(calls, 33, 100, "v2");
        share(calls, 34, 100, "v3");
    }

    @Case(
            id = "weights-relative",
            says = "Weights are relative to each other and need no total: 1000 and 500 give the second about a third.",
            api = "TrafficSplit",
            versions = {"v1alpha2", "v1alpha3", "v1alpha4"})
    void weightsNeedNoTotal(String version, Measured measured) {
        STAGE.apply(split(version, "shop", "shop", "v1", 1000, "v2", 500));
        live("the backends answer", () -> answeredBy(shop(10), "v1", "v2"));
        Calls calls = shop(MANY);
        measured.note("shares", calls.shares());
        share(calls, 500, 1500, "v2");
    }

    @Case(
            id = "weights-one-backend",
            says = "A single backend gets everything, whatever its weight.",
            api = "TrafficSplit",
            versions = {"v1alpha1", "v1alpha4"})
    void aSingleBackendGetsAll(String version) {
        STAGE.apply(split(version, "shop", "shop", "v2", 1));
        live("the backend answers", () -> answeredBy(shop(10), "v2"));
        answeredBy(shop(200), "v2");
    }

    @Case(
            id = "weights-quantities",
            says = "Weights may be quantities: 500m is half of 1, and 1500m three times 500m.",
            api = "TrafficSplit",
            versions = {"v1alpha1"})
    void quantitiesAreOfOneScale(String version, Measured measured) {
        STAGE.apply(split(version, "shop", "shop", "v1", "\"1\"", "v2", "500m"));
        live("the backends answer", () -> answeredBy(shop(10), "v1", "v2"));
        Calls half = shop(MANY);
        share(half, 1, 3, "v2");
        STAGE.apply(split(version, "shop", "shop", "v2", "500m", "v3", "1500m"));
        live("the new backends answer", () -> answeredBy(shop(10), "v2", "v3"));
        Calls quarter = shop(MANY);
        share(quarter, 1, 4, "v2");
        measured.note("1 to 500m", half.shares()).note("500m to 1500m", quarter.shares());
    }

    @Case(
            id = "weights-quantities-small",
            says =
                    "Quantities as small as 10m count: 10m, 100m and 1500m are shares of 1, 10 and 150 in 161; 0m is nothing.",
            api = "TrafficSplit",
            versions = {"v1alpha1"})
    void smallQuantitiesCount(String version, Measured measured) {
        STAGE.apply(split(version, "shop", "shop", "v1", "10m", "v2", "100m", "v3", "1500m"));
        live("the heaviest backend answers", () -> answeredBy(shop(10), "v1", "v2", "v3"));
        Calls calls = answeredBy(shop(1610), "v1", "v2", "v3");
        measured.note("shares", calls.shares());
        share(calls, 1, 161, "v1");
        share(calls, 10, 161, "v2");
        hold(calls.at("v1") > 0, calls, "v1 gets something, about 10 of 1610");
        STAGE.apply(split(version, "shop", "shop", "v1", "0m", "v2", "10m"));
        live("the other backend answers", () -> answeredBy(shop(10), "v2"));
        answeredBy(shop(200), "v2");
    }

    @Case(
            id = "weights-per-service",
            says =
                    "A weight is a Service's, however many endpoints it has: one pod and three pods of equal weight get half each.",
            api = "TrafficSplit",
            versions = {"v1alpha4"})
    void weightsAreOfServices(String version, Measured measured) {
        STAGE.apply(split(version, "shop", "shop", "v1", 1, "many", 1));
        live("all pods of both backends answer", () -> answeredByAll(shop(100), "v1", "v2", "v3", "shop"));
        Calls calls = shop(MANY);
        measured.note("shares", calls.shares());
        share(calls, 1, 2, "v1");
    }

    @Case(
            id = "weights-per-client",
            says = "Each client divides its own traffic by the weights.",
            api = "TrafficSplit",
            versions = {"v1alpha4"})
    void everyClientDivides(String version) {
        STAGE.apply(split(version, "shop", "shop", "v1", 75, "v2", 25));
        for (String client : List.of("alice", "bob")) {
            live(
                    "the backends answer " + client,
                    () -> answeredBy(STAGE.call(client, Request.get(ROOT).times(10)), "v1", "v2"));
            share(STAGE.call(client, Request.get(ROOT).times(MANY)), 25, 100, "v2");
        }
    }

    @Case(
            id = "weights-per-request",
            says =
                    "Requests are divided one by one, also those on a single HTTP/1.1 or HTTP/2 connection of the client.",
            api = "TrafficSplit",
            versions = {"v1alpha4"},
            reading =
                    "'percentages of traffic' may mean connections; for HTTP a share of requests is the only one a client with one connection can see")
    void requestsAreDividedNotConnections(String version) {
        STAGE.apply(split(version, "shop", "shop", "v1", 75, "v2", 25));
        live("the backends answer", () -> answeredBy(shop(10), "v1", "v2"));
        for (Request request : List.of(
                Request.get(ROOT).times(MANY), Request.get(ROOT).times(MANY).overHttp2())) {
            Calls calls = share(STAGE.call("alice", request), 25, 100, "v2");
            hold(calls.connections() == 1, calls, "the client's one connection stays open");
        }
    }

    @Case(
            id = "weights-all-zero",
            says = "Backends of weight 0 get nothing, also when there is no other.",
            api = "TrafficSplit",
            versions = {"v1alpha4"})
    void nothingForZeroAlsoWhenAllAreZero(String version, Measured measured) {
        STAGE.apply(split(version, "shop", "shop", "v1", 1, "v2", 0));
        live("the first backend answers", () -> answeredBy(shop(10), "v1"));
        STAGE.apply(split(version, "shop", "shop", "v1", 0, "v2", 0));
        live("no backend gets anything", () -> nothingAt(shop(20), "v1", "v2"));
        Calls calls = shop(100);
        measured.note("what came instead", calls);
        nothingAt(calls, "v1", "v2");
    }

    private static void nothingAt(Calls calls, String... backends) {
        for (String backend : backends) {
            hold(calls.at(backend) == 0, calls, "%s of weight 0 gets nothing".formatted(backend));
        }
    }

    // What comes and goes

    @Case(
            id = "deleted",
            says = "When the split is deleted, the root's own selector decides again.",
            api = "TrafficSplit",
            versions = {"v1alpha1", "v1alpha2", "v1alpha3", "v1alpha4"})
    void deletionRestoresTheService(String version) {
        STAGE.apply(split(version, "shop", "shop", "v1", 1));
        live("the backend answers", () -> answeredBy(shop(10), "v1"));
        STAGE.home().delete(Objects.SPLIT + version, "TrafficSplit", "shop");
        live("the root's own pod answers", () -> answeredBy(shop(10), "shop"));
        answeredBy(shop(100), "shop");
    }

    @Case(
            id = "backend-before-its-service",
            says =
                    "A split may name a backend of weight 0 before its Service exists; the Service then gets nothing until its weight is raised, and its share after that.",
            api = "TrafficSplit",
            versions = {"v1alpha1", "v1alpha2", "v1alpha3", "v1alpha4"})
    void theDocumentedRollout(String version) {
        STAGE.apply(split(version, "shop", "shop", "v1", 100, "v2-late", 0));
        live("the present backend answers", () -> answeredBy(shop(10), "v1"));
        answeredBy(shop(100), "v1");
        STAGE.apply("""
                apiVersion: v1
                kind: Service
                metadata: {name: v2-late}
                spec: {selector: {app: v2}, ports: [{name: http, port: 9091}]}
                """);
        // By its address: a name that was asked for too early may be unknown to DNS for longer.
        String late = "http://%s:9091/".formatted(STAGE.home().clusterIp("v2-late"));
        live(
                "who asks for the new backend itself gets it",
                () -> answeredBy(STAGE.call("alice", Request.get(late).times(5)), "v2"));
        answeredBy(shop(200), "v1");
        STAGE.apply(split(version, "shop", "shop", "v1", 1000, "v2-late", 500));
        live("both backends answer", () -> answeredByAll(shop(30), "v1", "v2"));
        share(shop(MANY), 500, 1500, "v2");
        STAGE.apply(split(version, "shop", "shop", "v2-late", 1));
        live("the new backend answers", () -> answeredBy(shop(10), "v2"));
        answeredBy(shop(200), "v2");
    }

    @Case(
            id = "backend-missing",
            says = "A backend whose Service does not exist is left out, and no request is lost to it.",
            api = "TrafficSplit",
            versions = {"v1alpha4"},
            reading =
                    "the specification says so of a backend without the port; one without a Service has no ports at all")
    void aMissingBackendTakesNothing(String version) {
        STAGE.apply(split(version, "shop", "shop", "v1", 50, "v9", 50));
        live("the present backend answers", () -> answeredBy(shop(10), "v1"));
        answeredBy(shop(200), "v1");
    }

    @Case(
            id = "backend-without-endpoints",
            says = "The share of a backend that has no endpoints goes to the others.",
            api = "TrafficSplit",
            versions = {"v1alpha4"},
            reading =
                    "left open ('what happens?'); the reason given for weights instead of percentages is that they may be redistributed")
    void theShareOfNobodyGoesToTheOthers(String version) {
        STAGE.apply(split(version, "shop", "shop", "v1", 50, "hollow", 50));
        live("the living backend answers", () -> answeredBy(shop(10), "v1"));
        answeredBy(shop(200), "v1");
    }

    // Which services

    @Case(
            id = "backend-called-itself",
            says =
                    "A split is for calls to its root only: a backend of weight 0 that is called by its own name answers.",
            api = "TrafficSplit",
            versions = {"v1alpha4"})
    void backendsAnswerToTheirOwnNames(String version) {
        STAGE.apply(split(version, "shop", "shop", "v1", 1, "v2", 0));
        live("the backend answers", () -> answeredBy(shop(10), "v1"));
        answeredBy(STAGE.call("alice", Request.get("http://v2:9091/").times(50)), "v2");
        answeredBy(STAGE.call("alice", Request.get("http://v3:9091/").times(50)), "v3");
    }

    @Case(
            id = "backend-types",
            says =
                    "A backend is a Service with a selector and a type of its own: headless and NodePort ones take part.",
            api = "TrafficSplit",
            versions = {"v1alpha4"})
    void backendsOfEveryType(String version) {
        for (String backend : List.of("v2-headless", "v2-node-port")) {
            STAGE.apply(split(version, "shop", "shop", "v1", 1));
            live("v1 answers", () -> answeredBy(shop(10), "v1"));
            STAGE.apply(split(version, "shop", "shop", backend, 1));
            live(backend + " answers", () -> answeredBy(shop(10), "v2"));
            answeredBy(shop(50), "v2");
        }
    }

    @Case(
            id = "root-without-endpoints",
            says = "The backends answer for the root whatever the root itself selects, also nothing.",
            api = "TrafficSplit",
            versions = {"v1alpha4"})
    void aRootMayBeHollow(String version) {
        STAGE.apply(split(version, "hollow", "hollow", "v1", 1));
        live(
                "the backend answers",
                () -> answeredBy(
                        STAGE.call("alice", Request.get("http://hollow:9091/").times(10)), "v1"));
        answeredBy(STAGE.call("alice", Request.get("http://hollow:9091/").times(50)), "v1");
    }

    @Case(
            id = "root-by-every-name",
            says =
                    "The split is for every name that clients use for the root: short, with namespace, whole, with a trailing dot, and its address.",
            api = "TrafficSplit",
            versions = {"v1alpha4"})
    void clientsUseEveryName(String version) {
        STAGE.apply(split(version, "shop", "shop", "v1", 1));
        live("the backend answers", () -> answeredBy(shop(10), "v1"));
        String namespace = STAGE.home().name();
        for (String host : List.of(
                "shop." + namespace,
                "shop." + namespace + ".svc",
                "shop." + namespace + ".svc.cluster.local",
                "shop." + namespace + ".svc.cluster.local.",
                STAGE.home().clusterIp("shop"))) {
            answeredBy(
                    STAGE.call("alice", Request.get("http://" + host + ":9091/").times(20)), "v1");
        }
    }

    @Case(
            id = "root-written-in-full",
            says = "The root may be written as the whole name that clients use.",
            api = "TrafficSplit",
            versions = {"v1alpha4"},
            reading =
                    "the text calls spec.service the FQDN that applications use, its examples write the Service's plain name; both are read")
    void theRootMayBeWrittenInFull(String version) {
        String namespace = STAGE.home().name();
        String backend = "v1";
        for (String root : List.of(
                "shop",
                "shop." + namespace,
                "shop." + namespace + ".svc",
                "shop." + namespace + ".svc.cluster.local")) {
            STAGE.apply(split(version, "shop", root, backend, 1));
            String expected = backend;
            live("the root is " + root, () -> answeredBy(shop(10), expected));
            answeredBy(shop(20), expected);
            backend = backend.equals("v1") ? "v2" : "v1";
        }
    }

    @Case(
            id = "not-hierarchical",
            says =
                    "Splits do not follow each other: a backend that is the root of another split gets its share itself.",
            api = "TrafficSplit",
            versions = {"v1alpha2", "v1alpha3", "v1alpha4"})
    void splitsDoNotFollowEachOther(String version) {
        STAGE.apply(split(version, "outer", "shop", "v1", 1) + split(version, "inner", "v1", "v2", 1));
        live("both splits hold", () -> {
            answeredBy(STAGE.call("alice", Request.get("http://v1:9091/").times(10)), "v2");
            answeredBy(shop(10), "v1");
        });
        answeredBy(shop(100), "v1");
    }

    @Case(
            id = "self-reference",
            says =
                    "A split that names its own root as a backend is refused, or gives the root's own pods that share; it never goes round in a circle.",
            api = "TrafficSplit",
            versions = {"v1alpha4"},
            reading =
                    "the specification says that splits cannot refer to themselves and not what then becomes of the traffic; meshes that take it do this")
    void aSplitMayNameItsRoot(String version, Measured measured) {
        Optional<String> refused = STAGE.home().applyUnlessRefused(split(version, "shop", "shop", "shop", 3, "v1", 1));
        if (refused.isPresent()) {
            measured.note("refused", refused.get());
            answeredBy(shop(50), "shop");
            return;
        }
        live("root and backend answer", () -> answeredByAll(shop(60), "shop", "v1"));
        share(shop(MANY), 1, 4, "v1");
    }

    @Case(
            id = "two-splits-of-one-root",
            says = "Of two splits of one root the older holds, as a whole.",
            api = "TrafficSplit",
            versions = {"v1alpha4"},
            reading = "not said; the older one, so that no new object takes over traffic that another one directs")
    void theOlderSplitHolds(String version) {
        STAGE.apply(split(version, "z-older", "shop", "v1", 1));
        live("the split holds", () -> answeredBy(shop(10), "v1"));
        Within.pass(Duration.ofMillis(1100)); // creation times are whole seconds
        STAGE.apply(split(version, "a-younger", "shop", "v2", 1) + split(version, "witness", "v3", "v2", 1));
        live(
                "a split made after both holds",
                () -> answeredBy(
                        STAGE.call("alice", Request.get("http://v3:9091/").times(5)), "v2"));
        answeredBy(shop(100), "v1");
    }

    @Case(
            id = "namespaces",
            says = "A split is for the root Service of its own namespace, and leads to backends of its own namespace.",
            api = "TrafficSplit",
            versions = {"v1alpha4"})
    void splitsStayInTheirNamespace(String version) {
        String elsewhere = "http://shop." + STAGE.place("away").name() + ":9091/";
        live(
                "the root elsewhere answers",
                () -> answeredBy(STAGE.call("alice", Request.get(elsewhere).times(10)), "far"));
        STAGE.place("away").apply(split(version, "shop", "shop", "far-next", 1));
        live(
                "the split elsewhere holds",
                () -> answeredBy(STAGE.call("alice", Request.get(elsewhere).times(10)), "far-next"));
        answeredBy(shop(50), "shop");
        STAGE.place("away").apply(split(version, "shop", "shop", "far", 1, "v1", 1));
        live(
                "the split elsewhere has changed",
                () -> answeredBy(STAGE.call("alice", Request.get(elsewhere).times(10)), "far"));
        answeredBy(STAGE.call("alice", Request.get(elsewhere).times(50)), "far");
    }

    // Clients outside of the mesh

    @Case(
            id = "clients-outside",
            says = "Clients that no proxy of the mesh stands beside keep the Service's own behaviour.",
            api = "TrafficSplit",
            versions = {"v1alpha4"})
    void clientsOutsideKeepTheService(String version) {
        String root = "http://shop." + STAGE.home().name() + ".svc.cluster.local:9091/";
        App outside = Cluster.current().tester();
        STAGE.apply(split(version, "shop", "shop", "v1", 1));
        live("the split holds for who is in the mesh", () -> answeredBy(shop(10), "v1"));
        answeredBy(STAGE.call(outside, Request.get(root).times(50)), "shop");
    }

    @Case(
            id = "clients-outside-headless",
            says = "Clients outside of the mesh reach the pods of a headless root as without a split.",
            api = "TrafficSplit",
            versions = {"v1alpha4"})
    void clientsOutsideKeepTheHeadlessService(String version) {
        String root = "http://shop-headless." + STAGE.home().name() + ".svc.cluster.local:9091/";
        App outside = Cluster.current().tester();
        STAGE.apply(split(version, "headless", "shop-headless", "v1", 1) + split(version, "shop", "shop", "v1", 1));
        live("the splits hold for who is in the mesh", () -> answeredBy(shop(10), "v1"));
        answeredBy(STAGE.call(outside, Request.get(root).times(50)), "shop");
    }

    @Case(
            id = "root-headless",
            says = "A headless root is split as any other for requests that name it.",
            api = "TrafficSplit",
            versions = {"v1alpha4"},
            reading =
                    "spec.service is the name that applications use to communicate, and a headless Service has one; such clients dial a pod's address, so a mesh must go by the name")
    void aHeadlessRootIsSplit(String version) {
        Request request = Request.get("http://shop-headless:9091/");
        live("without a split its own pod answers", () -> answeredBy(STAGE.call("alice", request.times(5)), "shop"));
        STAGE.apply(split(version, "headless", "shop-headless", "v1", 1));
        live("the backend answers", () -> answeredBy(STAGE.call("alice", request.times(10)), "v1"));
        answeredBy(STAGE.call("alice", request.times(50)), "v1");
    }

    // Ports

    @Case(
            id = "ports-same-number",
            says = "Every port of the root is split, each over the backends' port of the same number.",
            api = "TrafficSplit",
            versions = {"v1alpha1", "v1alpha2", "v1alpha3", "v1alpha4"})
    void everyPortIsSplit(String version) {
        STAGE.apply(split(version, "shop", "shop", "v1", 1, "v2", 1));
        live("the backends answer", () -> answeredByAll(shop(30), "v1", "v2"));
        for (int port : List.of(App.HTTP, App.HTTP_ALT)) {
            Calls calls =
                    STAGE.call("alice", Request.get("http://shop:" + port + "/").times(200));
            share(calls, 1, 2, "v1");
            hold(
                    calls.received().stream().allMatch(one -> one.port() == port),
                    calls,
                    "all are received on port " + port);
        }
    }

    @Case(
            id = "ports-target-port",
            says = "Each backend maps the port to its own targetPort, by number or by name.",
            api = "TrafficSplit",
            versions = {"v1alpha4"})
    void backendsMapTheirOwnPorts(String version) {
        STAGE.apply(split(version, "shop", "shop", "v1", 1, "v2-moved", 1, "v3-by-name", 1));
        live("the backends answer", () -> answeredByAll(shop(60), "v1", "v2", "v3"));
        Calls first = answered(shop(90));
        hold(
                first.received().stream()
                        .allMatch(one -> one.port() == (one.at().equals("v1") ? App.HTTP : App.HTTP_ALT)),
                first,
                "v1 receives on port %d, the others on %d".formatted(App.HTTP, App.HTTP_ALT));
        Calls second =
                answeredByAll(STAGE.call("alice", Request.get(ROOT_SECOND).times(60)), "v1", "v2");
        hold(
                second.received().stream()
                        .allMatch(one -> one.port() == (one.at().equals("v1") ? App.HTTP_ALT : App.HTTP)),
                second,
                "v1 receives on port %d, v2 on %d".formatted(App.HTTP_ALT, App.HTTP));
    }

    @Case(
            id = "ports-missing",
            says = "A backend that lacks a port of the root gets nothing of that port, and its share of the others.",
            api = "TrafficSplit",
            versions = {"v1alpha2", "v1alpha3", "v1alpha4"})
    void aBackendWithoutThePortIsLeftOut(String version) {
        STAGE.apply(split(version, "shop", "shop", "v1", 1, "v2-narrow", 1));
        live("both backends answer where both have the port", () -> answeredByAll(shop(30), "v1", "v2"));
        share(shop(200), 1, 2, "v2");
        answeredBy(STAGE.call("alice", Request.get(ROOT_SECOND).times(200)), "v1");
    }

    @Case(
            id = "ports-by-number-not-name",
            says = "Ports match by number: a backend's port of the same name and another number does not.",
            api = "TrafficSplit",
            versions = {"v1alpha4"})
    void portsMatchByNumber(String version) {
        STAGE.apply(split(version, "shop", "shop", "v1", 1, "v2-renumbered", 1));
        live("the backend with the port answers", () -> answeredBy(shop(10), "v1"));
        answeredBy(shop(200), "v1");
    }

    @Case(
            id = "ports-event",
            says = "A backend that is left out for a port is told in an event on the TrafficSplit, or refused.",
            api = "TrafficSplit",
            versions = {"v1alpha4"},
            reading = "recommended, not demanded")
    void aBackendThatIsLeftOutIsTold(String version, Measured measured) {
        Optional<String> refused =
                STAGE.home().applyUnlessRefused(split(version, "telling", "shop", "v1", 1, "v2-narrow", 1));
        if (refused.isPresent()) {
            measured.note("refused", refused.get());
            return;
        }
        live("a warning names the backend", () -> {
            List<String> events = STAGE.home().events("TrafficSplit", "telling");
            if (events.stream().noneMatch(event -> event.startsWith("Warning ") && event.contains("v2-narrow"))) {
                throw new AssertionError("the events of the TrafficSplit are " + events);
            }
        });
        measured.note("events", STAGE.home().events("TrafficSplit", "telling"));
    }

    // TCP

    @Case(
            id = "tcp-weights",
            says = "Connections of any other protocol are divided too, one by one; a backend of weight 0 gets none.",
            api = "TrafficSplit",
            versions = {"v1alpha1", "v1alpha2", "v1alpha3", "v1alpha4"})
    void connectionsAreDivided(String version, Measured measured) {
        STAGE.apply(split(version, "shop", "shop", "v1", 75, "v2", 25, "v3", 0));
        live("the backends answer", () -> answeredBy(STAGE.connect("alice", ROOT_TCP, 5), "v1", "v2"));
        Calls calls = answeredBy(STAGE.connect("alice", ROOT_TCP, 400), "v1", "v2");
        measured.note("shares", calls.shares());
        share(calls, 25, 100, "v2");
        share(calls, 0, 100, "v3");
    }

    @Case(
            id = "tcp-deleted",
            says = "New connections go by new weights, and by the root's own selector once the split is deleted.",
            api = "TrafficSplit",
            versions = {"v1alpha4"})
    void newConnectionsGoByNewWeights(String version) {
        STAGE.apply(split(version, "shop", "shop", "v1", 1, "v2", 0));
        live("the first backend answers", () -> answeredBy(STAGE.connect("alice", ROOT_TCP, 5), "v1"));
        STAGE.apply(split(version, "shop", "shop", "v1", 0, "v2", 1));
        live("the second backend answers", () -> answeredBy(STAGE.connect("alice", ROOT_TCP, 5), "v2"));
        answeredBy(STAGE.connect("alice", ROOT_TCP, 50), "v2");
        STAGE.home().delete(Objects.SPLIT + version, "TrafficSplit", "shop");
        live("the root's own pod answers", () -> answeredBy(STAGE.connect("alice", ROOT_TCP, 5), "shop"));
        answeredBy(STAGE.connect("alice", ROOT_TCP, 20), "shop");
    }
}
