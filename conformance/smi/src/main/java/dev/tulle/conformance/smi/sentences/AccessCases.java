package dev.tulle.conformance.smi.sentences;

import static dev.tulle.conformance.smi.harness.Within.live;
import static dev.tulle.conformance.smi.sentences.Expect.answeredBy;
import static dev.tulle.conformance.smi.sentences.Expect.denied;
import static dev.tulle.conformance.smi.sentences.Expect.ended;
import static dev.tulle.conformance.smi.sentences.Expect.hold;
import static dev.tulle.conformance.smi.sentences.Objects.group;
import static dev.tulle.conformance.smi.sentences.Objects.ports;
import static dev.tulle.conformance.smi.sentences.Objects.routes;
import static dev.tulle.conformance.smi.sentences.Objects.rules;
import static dev.tulle.conformance.smi.sentences.Objects.split;
import static dev.tulle.conformance.smi.sentences.Objects.target;
import static dev.tulle.conformance.smi.sentences.Objects.targetOn;
import static dev.tulle.conformance.smi.sentences.Objects.tcp;

import dev.tulle.conformance.smi.harness.Calls;
import dev.tulle.conformance.smi.harness.Case;
import dev.tulle.conformance.smi.harness.Group;
import dev.tulle.conformance.smi.harness.Measured;
import dev.tulle.conformance.smi.harness.Place;
import dev.tulle.conformance.smi.harness.Pod;
import dev.tulle.conformance.smi.harness.Request;
import dev.tulle.conformance.smi.harness.Stage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Who may call whom: callers with service accounts of their own, in two namespaces, and servers of which only some are granted.
 *
 * <p>Every case begins with everything denied. Where a case expects nothing but denials it applies a witness after the objects it is about:
 * another grant, which works once the mesh has read both.
 */
@Group("access")
final class AccessCases {
    @RegisterExtension
    static final Stage STAGE = Stage.of(
            "access",
            Pod.named("alice"),
            Pod.named("bob"),
            Pod.named("server"),
            Pod.named("twin").runningAs("server"),
            Pod.named("other"),
            Pod.named("carol").in("away"),
            Pod.named("false-alice").in("away").runningAs("alice"),
            Pod.named("far").in("away"));

    private static final String METRICS = "{name: metrics, pathRegex: /metrics, methods: [GET]}";
    private static final String API = "{name: api, pathRegex: /api, methods: [\"*\"]}";
    private static final String ALL = "{name: all, pathRegex: \".*\", methods: [\"*\"]}";

    @BeforeAll
    static void makeServices() {
        STAGE.keep(Pod.HOME, """
                apiVersion: v1
                kind: Service
                metadata: {name: web}
                spec:
                  selector: {app: server}
                  ports: [{name: http, port: 80, targetPort: 9091}, {name: http-alt, port: 81, targetPort: 9095}, {name: tcp, port: 3306, targetPort: 9093}]
                """);
    }

    /** One thing a caller tries. */
    private record Try(String from, Request request, String to) {
        Calls go() {
            return STAGE.call(from, request.times(2));
        }
    }

    private static Try get(String from, String path) {
        return to("server", from, Request.get("http://server:9091" + path));
    }

    /** A call that {@code server} is to receive, if anybody; callers from elsewhere need its whole name. */
    private static Try to(String server, String from, Request request) {
        String home = STAGE.home().name();
        String url =
                request.url().replaceFirst("^http://([a-z0-9-]+)([:/])", "http://$1." + home + ".svc.cluster.local$2");
        return new Try(
                from,
                new Request(
                        request.method(),
                        url,
                        request.headers(),
                        request.body(),
                        1,
                        request.protocol(),
                        false,
                        request.gap()),
                server);
    }

    @BeforeEach
    void everythingIsDenied() {
        STAGE.begin("without a target all is denied", () -> {
            denied(get("alice", "/metrics").go());
            denied(get("bob", "/").go());
            denied(get("carol", "/").go());
            ended(STAGE.connect("alice", "server:9093", 1));
        });
    }

    /** Holds, twice, that these are answered by whom they are for, and those denied. */
    private static void holds(List<Try> allowed, List<Try> notAllowed) {
        live("what is granted is answered and nothing else", () -> check(allowed, notAllowed));
        check(allowed, notAllowed);
    }

    private static void check(List<Try> allowed, List<Try> notAllowed) {
        allowed.forEach(one -> answeredBy(one.go(), one.to()));
        notAllowed.forEach(one -> denied(one.go()));
    }

    /** Grants bob something of other, which no case is about, and waits until it works. */
    private static void witness() {
        STAGE.apply(
                group("v1alpha4", "witness", ALL) + target("v1alpha3", "witness", "other", routes("witness"), "bob"));
        live(
                "the witness works",
                () -> answeredBy(
                        to("other", "bob", Request.get("http://other:9091/")).go(), "other"));
    }

    // Denied unless granted

    @Case(
            id = "denied-by-default",
            says = "All traffic is denied by default: HTTP with status 403, and the application receives nothing.",
            api = "TrafficTarget",
            versions = {"v1alpha3"},
            reading = "the specification does not say how a denial looks; an HTTP caller is owed an HTTP answer")
    void allIsDenied(String version) {
        for (String from : List.of("alice", "bob", "carol", "far")) {
            denied(get(from, "/").go());
            denied(to("server", from, Request.get("http://server:9095/")).go());
            denied(to("other", from, Request.of("POST", "http://other:9091/").overHttp2())
                    .go());
        }
        ended(STAGE.connect("alice", "server:9093", 3));
    }

    @Case(
            id = "granted",
            says =
                    "A listed source may use the listed routes of the destination; another source is denied, and so is the source on another route.",
            api = "TrafficTarget",
            versions = {"v1alpha1", "v1alpha2", "v1alpha3"})
    void aGrant(String version) {
        STAGE.apply(group("v1alpha4", "routes", METRICS)
                + target(version, "target", "server", routes("routes", "metrics"), "alice"));
        holds(
                List.of(get("alice", "/metrics")),
                List.of(
                        get("bob", "/metrics"),
                        get("carol", "/metrics"),
                        get("alice", "/"),
                        to("server", "alice", Request.of("POST", "http://server:9091/metrics"))));
    }

    @Case(
            id = "deleted",
            says = "When the target is deleted, its grant ends.",
            api = "TrafficTarget",
            versions = {"v1alpha1", "v1alpha2", "v1alpha3"})
    void aDeletedGrant(String version) {
        STAGE.apply(
                group("v1alpha4", "routes", METRICS) + target(version, "target", "server", routes("routes"), "alice"));
        holds(List.of(get("alice", "/metrics")), List.of());
        STAGE.home().delete(Objects.ACCESS + version, "TrafficTarget", "target");
        holds(List.of(), List.of(get("alice", "/metrics")));
    }

    @Case(
            id = "changed",
            says = "A changed target grants what it then says: other sources, other routes.",
            api = "TrafficTarget",
            versions = {"v1alpha1", "v1alpha2", "v1alpha3"})
    void aChangedGrant(String version) {
        STAGE.apply(group("v1alpha4", "routes", METRICS, API)
                + target(version, "target", "server", routes("routes", "metrics"), "alice"));
        holds(List.of(get("alice", "/metrics")), List.of(get("alice", "/api"), get("bob", "/metrics")));
        STAGE.apply(target(version, "target", "server", routes("routes", "api"), "bob"));
        holds(
                List.of(get("bob", "/api")),
                List.of(get("alice", "/metrics"), get("alice", "/api"), get("bob", "/metrics")));
    }

    @Case(
            id = "matches-omitted",
            says = "A rule without matches is for every entry of its group, one with matches for those it names.",
            api = "TrafficTarget",
            versions = {"v1alpha1", "v1alpha2", "v1alpha3"})
    void rulesNameEntries(String version) {
        STAGE.apply(group("v1alpha4", "routes", METRICS, API, "{name: admin, pathRegex: /admin}")
                + target(version, "target", "server", routes("routes"), "alice")
                + target(version, "some", "server", routes("routes", "metrics", "admin"), "bob"));
        holds(
                List.of(
                        get("alice", "/metrics"),
                        get("alice", "/api"),
                        get("alice", "/admin"),
                        get("bob", "/metrics"),
                        get("bob", "/admin")),
                List.of(get("alice", "/"), get("bob", "/api"), get("bob", "/")));
    }

    @Case(
            id = "server-side",
            says =
                    "Access is enforced at the server: also for callers that dial its pod's address, and whatever they say of themselves.",
            api = "TrafficTarget",
            versions = {"v1alpha3"})
    void theServerEnforces(String version) {
        String address =
                STAGE.home().read("v1", "Pod", "server").at("/status/podIP").asText();
        String url = "http://%s:9091/metrics".formatted(address.contains(":") ? "[" + address + "]" : address);
        Request claiming = Request.get(url)
                .header(
                        "x-forwarded-client-cert",
                        "URI=spiffe://cluster.local/ns/%s/sa/alice"
                                .formatted(STAGE.home().name()))
                .header(
                        "l5d-client-id",
                        "alice.%s.serviceaccount.identity.linkerd.cluster.local"
                                .formatted(STAGE.home().name()));
        denied(STAGE.call("alice", Request.get(url)));
        STAGE.apply(
                group("v1alpha4", "routes", METRICS) + target(version, "target", "server", routes("routes"), "alice"));
        live(
                "who is granted may also dial the pod",
                () -> answeredBy(STAGE.call("alice", Request.get(url).times(2)), "server"));
        denied(STAGE.call("bob", Request.get(url).times(2)));
        denied(STAGE.call("bob", claiming.times(2)));
        denied(STAGE.call("false-alice", claiming.times(2)));
    }

    // Destinations and sources

    @Case(
            id = "destination-all-its-pods",
            says = "A target is for all pods that run as the destination's service account, and for no others.",
            api = "TrafficTarget",
            versions = {"v1alpha1", "v1alpha2", "v1alpha3"})
    void allPodsOfTheAccount(String version) {
        STAGE.apply(group("v1alpha4", "routes", ALL) + target(version, "target", "server", routes("routes"), "alice"));
        holds(
                List.of(get("alice", "/"), to("twin", "alice", Request.get("http://twin:9091/"))),
                List.of(to("other", "alice", Request.get("http://other:9091/"))));
    }

    @Case(
            id = "sources-several",
            says = "A target may have several sources, also from other namespaces.",
            api = "TrafficTarget",
            versions = {"v1alpha1", "v1alpha2", "v1alpha3"})
    void severalSources(String version) {
        String away = STAGE.place("away").name();
        STAGE.apply(group("v1alpha4", "routes", METRICS)
                + target(version, "target", "server", routes("routes"), "alice", away + "/carol"));
        holds(
                List.of(get("alice", "/metrics"), get("carol", "/metrics")),
                List.of(
                        get("bob", "/metrics"),
                        get("far", "/metrics"),
                        get("false-alice", "/metrics"),
                        get("carol", "/")));
    }

    @Case(
            id = "sources-by-namespace",
            says = "A source is a service account of its namespace: one of the same name elsewhere is another.",
            api = "TrafficTarget",
            versions = {"v1alpha1", "v1alpha2", "v1alpha3"})
    void sourcesAreOfTheirNamespace(String version) {
        String away = STAGE.place("away").name();
        STAGE.apply(group("v1alpha4", "routes", ALL)
                + target(version, "target", "server", routes("routes"), away + "/alice"));
        holds(List.of(get("false-alice", "/")), List.of(get("alice", "/"), get("carol", "/")));
    }

    @Case(
            id = "destination-elsewhere",
            says = "A target in the destination's own namespace grants callers of other namespaces there.",
            api = "TrafficTarget",
            versions = {"v1alpha1", "v1alpha2", "v1alpha3"})
    void aDestinationElsewhere(String version) {
        Place away = STAGE.place("away");
        Request far = Request.get("http://far.%s:9091/metrics".formatted(away.name()));
        live("denied there too", () -> denied(STAGE.call("alice", far)));
        away.apply(group("v1alpha4", "routes", METRICS)
                + target(
                        version, "target", "far", routes("routes"), STAGE.home().name() + "/alice"));
        live("granted there", () -> answeredBy(STAGE.call("alice", far.times(2)), "far"));
        denied(STAGE.call("bob", far.times(2)));
        denied(STAGE.call("carol", far.times(2)));
        denied(get("alice", "/metrics").go());
    }

    @Case(
            id = "namespaces-omitted",
            says = "A subject without a namespace is one of the target's own.",
            api = "TrafficTarget",
            versions = {"v1alpha1", "v1alpha2", "v1alpha3"},
            reading = "optional, and its default not said; that of every other reference in Kubernetes")
    void subjectsWithoutANamespace(String version) {
        String target =
                target(version, "target", "server", routes("routes"), "alice").replace(", namespace: @NAMESPACE@", "");
        if (target.contains("namespace")) {
            throw new IllegalStateException("it has a namespace: " + target);
        }
        STAGE.apply(group("v1alpha4", "routes", METRICS) + target);
        holds(
                List.of(get("alice", "/metrics")),
                List.of(get("bob", "/metrics"), get("false-alice", "/metrics"), get("alice", "/")));
    }

    @Case(
            id = "target-in-another-namespace",
            says = "A target in another namespace than its destination is refused or grants nothing.",
            api = "TrafficTarget",
            versions = {"v1alpha3"},
            reading =
                    "not said; but only the service's owner should grant, and who may write in another namespace is another owner")
    void onlyTheOwnerGrants(String version, Measured measured) {
        Place away = STAGE.place("away");
        String home = STAGE.home().name();
        away.apply(group("v1alpha4", "routes", ALL));
        away.applyUnlessRefused(targetOn(
                        version, "target", Objects.serviceAccount(home + "/server"), routes("routes"), "carol"))
                .ifPresent(refusal -> measured.note("refused", refusal));
        away.apply(target(version, "witness", "far", routes("routes"), "carol"));
        live(
                "a target made after it works",
                () -> answeredBy(
                        STAGE.call("carol", Request.get("http://far:9091/").times(2)), "far"));
        check(List.of(), List.of(get("carol", "/"), get("far", "/")));
    }

    @Case(
            id = "incomplete",
            says = "A target has at least one rule and one source; without them it is refused or grants nothing.",
            api = "TrafficTarget",
            versions = {"v1alpha3"})
    void anIncompleteTarget(String version, Measured measured) {
        for (String target : List.of(
                target(version, "no-rules", "server", "", "alice"),
                target(version, "no-sources", "server", routes("routes")))) {
            STAGE.apply(group("v1alpha4", "routes", ALL));
            STAGE.home().applyUnlessRefused(target).ifPresent(refusal -> measured.note("refused", refusal));
        }
        witness();
        check(List.of(), List.of(get("alice", "/"), get("bob", "/")));
    }

    // Several

    @Case(
            id = "rules-several",
            says = "A target may have several rules; what one of them covers is granted.",
            api = "TrafficTarget",
            versions = {"v1alpha1", "v1alpha2", "v1alpha3"})
    void severalRules(String version) {
        STAGE.apply(group("v1alpha4", "one", METRICS, "{name: hidden, pathRegex: /hidden}")
                + group("v1alpha4", "two", API)
                + target(version, "target", "server", rules(routes("one", "metrics"), routes("two")), "alice"));
        holds(
                List.of(get("alice", "/metrics"), get("alice", "/api")),
                List.of(get("alice", "/hidden"), get("alice", "/"), get("bob", "/api")));
    }

    @Case(
            id = "targets-union",
            says =
                    "Access is additive: what any target grants is granted, also where their routes overlap, in whatever order they were made.",
            api = "TrafficTarget",
            versions = {"v1alpha1", "v1alpha2", "v1alpha3"})
    void targetsAddUp(String version) {
        STAGE.apply(group("v1alpha4", "narrow", API) + group("v1alpha4", "wide", ALL));
        for (List<String> names : List.of(List.of("a-first", "b-second"), List.of("d-first", "c-second"))) {
            STAGE.apply(target(version, names.get(0), "server", routes("narrow"), "alice")
                    + target(version, names.get(1), "server", routes("wide"), "bob"));
            holds(
                    List.of(get("alice", "/api"), get("bob", "/api"), get("bob", "/")),
                    List.of(get("alice", "/"), get("carol", "/api")));
            for (String name : names) {
                STAGE.home().delete(Objects.ACCESS + version, "TrafficTarget", name);
            }
            holds(List.of(), List.of(get("alice", "/api"), get("bob", "/")));
        }
        STAGE.apply(target(version, "e-wide", "server", routes("wide"), "bob")
                + target(version, "f-narrow", "server", routes("narrow"), "alice"));
        holds(List.of(get("alice", "/api"), get("bob", "/api"), get("bob", "/")), List.of(get("alice", "/")));
    }

    @Case(
            id = "targets-one-deleted",
            says = "No target takes away what another grants, neither by what it says nor when it is deleted.",
            api = "TrafficTarget",
            versions = {"v1alpha3"})
    void noTargetTakesAway(String version) {
        STAGE.apply(group("v1alpha4", "narrow", API)
                + group("v1alpha4", "wide", ALL)
                + target(version, "wide", "server", routes("wide"), "alice"));
        holds(List.of(get("alice", "/"), get("alice", "/api")), List.of(get("bob", "/api")));
        STAGE.apply(target(version, "narrow", "server", routes("narrow"), "alice", "bob"));
        holds(List.of(get("alice", "/"), get("alice", "/api"), get("bob", "/api")), List.of(get("bob", "/")));
        STAGE.home().delete(Objects.ACCESS + version, "TrafficTarget", "narrow");
        holds(List.of(get("alice", "/"), get("alice", "/api")), List.of(get("bob", "/api")));
    }

    @Case(
            id = "example-for-l7",
            says = "The example of api, website, payments and prometheus allows what its table says and nothing else.",
            api = "TrafficTarget",
            versions = {"v1alpha3"})
    void theExampleForHttp(String version) {
        String away = STAGE.place("away").name();
        STAGE.apply(tcp("v1alpha4", "api-service-port", 9091)
                + group("v1alpha4", "api-service-routes", API, METRICS)
                + target(
                        version,
                        "api-service-metrics",
                        "server",
                        rules(ports("api-service-port"), routes("api-service-routes", "metrics")),
                        "bob")
                + target(
                        version,
                        "api-service-api",
                        "server",
                        rules(ports("api-service-port"), routes("api-service-routes", "api")),
                        "alice",
                        away + "/carol"));
        holds(
                List.of(
                        get("alice", "/api"),
                        get("carol", "/api"),
                        get("bob", "/metrics"),
                        to("server", "alice", Request.of("POST", "http://server:9091/api"))),
                List.of(
                        get("alice", "/metrics"),
                        get("carol", "/metrics"),
                        get("bob", "/api"),
                        to("server", "bob", Request.of("POST", "http://server:9091/metrics")),
                        to("server", "bob", Request.get("http://server:9095/metrics")),
                        get("far", "/api")));
    }

    // Kinds of rules

    @Case(
            id = "tcp-all-ports",
            says =
                    "A TCPRoute without ports is for every port: a target with nothing else opens them to every connection, HTTP among them.",
            api = "TCPRoute",
            versions = {"v1alpha1", "v1alpha2", "v1alpha3", "v1alpha4"},
            reading = "that HTTP is among them is not said; the published suite relies on it")
    void aTcpRouteOpensAllPorts(String version) {
        STAGE.apply(tcp(version, "tcp") + target("v1alpha3", "target", "server", ports("tcp"), "alice"));
        holds(
                List.of(
                        get("alice", "/any"),
                        to("server", "alice", Request.of("POST", "http://server:9095/where")),
                        to("twin", "alice", Request.get("http://twin:9091/").overHttp2())),
                List.of(get("bob", "/any"), to("other", "alice", Request.get("http://other:9091/"))));
        answeredBy(STAGE.connect("alice", "server:9093", 5), "server");
        ended(STAGE.connect("bob", "server:9093", 2));
    }

    @Case(
            id = "tcp-ports",
            says = "A TCPRoute with ports is for these and no others, in TCP and in HTTP.",
            api = "TCPRoute",
            versions = {"v1alpha4"})
    void aTcpRouteNamesPorts(String version) {
        STAGE.apply(tcp(version, "tcp", 9093, 9095) + target("v1alpha3", "target", "server", ports("tcp"), "alice"));
        holds(
                List.of(to("server", "alice", Request.get("http://server:9095/"))),
                List.of(get("alice", "/"), to("server", "bob", Request.get("http://server:9095/"))));
        answeredBy(STAGE.connect("alice", "server:9093", 5), "server");
        STAGE.apply(tcp(version, "tcp", 9091));
        holds(List.of(get("alice", "/")), List.of(to("server", "alice", Request.get("http://server:9095/"))));
        ended(STAGE.connect("alice", "server:9093", 3));
    }

    @Case(
            id = "tcp-ports-of-services-or-pods",
            says = "A port of a TCPRoute may be the Service's that is called or the pod's behind it.",
            api = "TCPRoute",
            versions = {"v1alpha4"},
            reading =
                    "'the ports of a Kubernetes service' means the Service's, meshes that check at the server know the pod's; a rule that names either means it")
    void portsOfServicesOrPods(String version) {
        Try viaService = to("server", "alice", Request.get("http://web:80/"));
        Try otherPort = to("server", "alice", Request.get("http://web:81/"));
        STAGE.apply(tcp(version, "tcp", 80, 3306) + target("v1alpha3", "target", "server", ports("tcp"), "alice"));
        holds(List.of(viaService), List.of(otherPort));
        answeredBy(STAGE.connect("alice", "web:3306", 3), "server");
        STAGE.apply(tcp(version, "tcp", 9095));
        holds(List.of(otherPort), List.of(viaService));
        ended(STAGE.connect("alice", "web:3306", 3));
        STAGE.apply(tcp(version, "tcp", 9091, 9093));
        holds(List.of(viaService), List.of(otherPort));
        answeredBy(STAGE.connect("alice", "web:3306", 3), "server");
    }

    @Case(
            id = "routes-only",
            says =
                    "A target with a route group only is for HTTP on every port, and gives nothing to connections of another protocol.",
            api = "TrafficTarget",
            versions = {"v1alpha1", "v1alpha2", "v1alpha3"})
    void routesAreForHttpOnly(String version) {
        STAGE.apply(group("v1alpha4", "routes", ALL) + target(version, "target", "server", routes("routes"), "alice"));
        holds(
                List.of(get("alice", "/"), to("server", "alice", Request.get("http://server:9095/"))),
                List.of(get("bob", "/")));
        ended(STAGE.connect("alice", "server:9093", 3));
    }

    @Case(
            id = "tcp-and-routes",
            says = "A target with a TCPRoute and a route group grants those requests on those ports: both must hold.",
            api = "TrafficTarget",
            versions = {"v1alpha3"})
    void portAndRouteMustHold(String version) {
        STAGE.apply(tcp("v1alpha4", "tcp", 9091, 9093)
                + group("v1alpha4", "routes", METRICS)
                + target(version, "target", "server", rules(ports("tcp"), routes("routes")), "alice"));
        holds(
                List.of(get("alice", "/metrics")),
                List.of(
                        get("alice", "/"),
                        to("server", "alice", Request.get("http://server:9095/metrics")),
                        to("server", "alice", Request.get("http://server:9095/")),
                        get("bob", "/metrics")));
        ended(STAGE.connect("alice", "server:9093", 3));
    }

    @Case(
            id = "destination-port",
            says = "A target with a port grants on that port only, one without on every port.",
            api = "TrafficTarget",
            versions = {"v1alpha1", "v1alpha2"})
    void aDestinationPort(String version) {
        String destination = "{kind: ServiceAccount, name: server, namespace: @NAMESPACE@, port: 9091}";
        STAGE.apply(group("v1alpha4", "routes", METRICS)
                + targetOn(version, "target", destination, routes("routes"), "alice")
                + target(version, "everywhere", "server", routes("routes"), "bob"));
        Try elsewhere = to("server", "alice", Request.get("http://server:9095/metrics"));
        holds(
                List.of(
                        get("alice", "/metrics"),
                        get("bob", "/metrics"),
                        to("server", "bob", Request.get("http://server:9095/metrics"))),
                List.of(elsewhere, get("alice", "/")));
    }

    @Case(
            id = "destination-port-as-text",
            says = "A port that is written all the same, also as text as in the published suite, restricts.",
            api = "TrafficTarget",
            versions = {"v1alpha3"},
            reading = "the field was dropped from this version; to ignore it would grant more than was written")
    void aDestinationPortAsText(String version) {
        String destination = "{kind: ServiceAccount, name: server, namespace: @NAMESPACE@, port: \"9091\"}";
        STAGE.apply(group("v1alpha4", "routes", METRICS)
                + targetOn(version, "target", destination, routes("routes"), "alice"));
        holds(
                List.of(get("alice", "/metrics")),
                List.of(to("server", "alice", Request.get("http://server:9095/metrics")), get("alice", "/")));
    }

    @Case(
            id = "udp-beside-tcp",
            says =
                    "A UDPRoute beside a TCPRoute is for UDP: it neither opens its ports to TCP nor takes from what the TCPRoute grants.",
            api = "TrafficTarget",
            versions = {"v1alpha3"})
    void udpIsForUdp(String version) {
        STAGE.apply(tcp("v1alpha4", "tcp", 9091)
                + UDP
                + target(version, "target", "server", rules(ports("tcp"), "{kind: UDPRoute, name: udp}"), "alice"));
        holds(
                List.of(get("alice", "/")),
                List.of(to("server", "alice", Request.get("http://server:9095/")), get("bob", "/")));
        ended(STAGE.connect("alice", "server:9093", 3));
    }

    @Case(
            id = "udp-only",
            says = "A target with a UDPRoute only gives nothing to TCP or HTTP.",
            api = "TrafficTarget",
            versions = {"v1alpha3"})
    void udpOnlyIsNothingHere(String version) {
        STAGE.apply(UDP + target(version, "target", "server", "{kind: UDPRoute, name: udp}", "alice"));
        witness();
        check(List.of(), List.of(get("alice", "/"), to("server", "alice", Request.get("http://server:9095/"))));
        ended(STAGE.connect("alice", "server:9093", 3));
    }

    private static final String UDP = """
            ---
            apiVersion: specs.smi-spec.io/v1alpha4
            kind: UDPRoute
            metadata: {name: udp}
            spec: {matches: {ports: [9093, 9095]}}
            """;

    // What is not there

    @Case(
            id = "group-missing",
            says = "A rule whose route group is missing grants nothing, and the target's other rules stay.",
            api = "TrafficTarget",
            versions = {"v1alpha3"},
            reading = "not said; each rule grants for itself")
    void aMissingGroup(String version) {
        STAGE.apply(group("v1alpha4", "routes", METRICS)
                + target(version, "target", "server", rules(routes("nowhere"), routes("routes")), "alice"));
        holds(List.of(get("alice", "/metrics")), List.of(get("alice", "/"), get("alice", "/api")));
        STAGE.apply(group("v1alpha4", "nowhere", API));
        holds(List.of(get("alice", "/metrics"), get("alice", "/api")), List.of(get("alice", "/")));
    }

    @Case(
            id = "entry-missing",
            says = "A name in matches that the group does not have grants nothing, and the others stay.",
            api = "TrafficTarget",
            versions = {"v1alpha3"},
            reading = "not said; above all it is not the same as no matches")
    void aMissingEntry(String version) {
        STAGE.apply(group("v1alpha4", "routes", METRICS, API)
                + target(version, "target", "server", routes("routes", "metrics", "nowhere"), "alice")
                + target(version, "nothing", "server", routes("routes", "nowhere"), "bob"));
        holds(
                List.of(get("alice", "/metrics")),
                List.of(get("alice", "/api"), get("bob", "/metrics"), get("bob", "/api")));
    }

    @Case(
            id = "tcp-missing",
            says = "A target whose TCPRoute is missing grants nothing, whatever its other rules say.",
            api = "TrafficTarget",
            versions = {"v1alpha3"},
            reading = "not said; the TCPRoute is a condition of the others, and one that cannot be read cannot hold")
    void aMissingTcpRoute(String version) {
        STAGE.apply(group("v1alpha4", "routes", ALL)
                + target(version, "target", "server", rules(ports("nowhere"), routes("routes")), "alice"));
        witness();
        check(List.of(), List.of(get("alice", "/")));
        STAGE.apply(tcp("v1alpha4", "nowhere", 9091));
        holds(List.of(get("alice", "/")), List.of(to("server", "alice", Request.get("http://server:9095/"))));
    }

    // Together with a split

    @Case(
            id = "split-and-access",
            says =
                    "Access is judged where a split leads: a backend that is not granted denies its share, the others answer theirs.",
            api = "TrafficTarget",
            versions = {"v1alpha3"})
    void splitAndAccess(String version) {
        STAGE.apply(group("v1alpha4", "routes", ALL)
                + target(version, "target", "server", routes("routes"), "alice")
                + split("v1alpha4", "split", "server", "twin", 1, "other", 1));
        live("the split leads to a backend that is granted and to one that is not", () -> {
            Calls calls = STAGE.call("alice", Request.get("http://server:9091/").times(20));
            halfDenied(calls);
        });
        Calls calls = STAGE.call("alice", Request.get("http://server:9091/").times(200));
        halfDenied(calls);
        hold(Math.abs(calls.succeeded() - 100) <= 43, calls, "half of the calls are answered, give or take 43");
    }

    private static void halfDenied(Calls calls) {
        hold(
                calls.statuses().keySet().equals(Set.of(200, 403))
                        && calls.shares().equals(Map.of("twin", (long) calls.succeeded())),
                calls,
                "calls that go to twin are answered, those to other are denied with 403 and received by nobody");
    }

    @Case(
            id = "over-http2",
            says = "Grants are for HTTP/2 as for HTTP/1, one request at a time.",
            api = "TrafficTarget",
            versions = {"v1alpha3"})
    void grantsOverHttp2(String version) {
        STAGE.apply(
                group("v1alpha4", "routes", METRICS) + target(version, "target", "server", routes("routes"), "alice"));
        List<Try> notGranted = new ArrayList<>();
        for (String path : List.of("/", "/api", "/metric")) {
            notGranted.add(to(
                    "server", "alice", Request.get("http://server:9091" + path).overHttp2()));
        }
        notGranted.add(
                to("server", "bob", Request.get("http://server:9091/metrics").overHttp2()));
        holds(
                List.of(to(
                        "server",
                        "alice",
                        Request.get("http://server:9091/metrics").overHttp2())),
                notGranted);
    }
}
