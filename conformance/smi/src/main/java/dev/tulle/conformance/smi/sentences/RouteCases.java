package dev.tulle.conformance.smi.sentences;

import static dev.tulle.conformance.smi.harness.Within.live;
import static dev.tulle.conformance.smi.sentences.Expect.answeredBy;
import static dev.tulle.conformance.smi.sentences.Expect.denied;
import static dev.tulle.conformance.smi.sentences.Objects.group;
import static dev.tulle.conformance.smi.sentences.Objects.routes;
import static dev.tulle.conformance.smi.sentences.Objects.target;

import dev.tulle.conformance.smi.harness.Case;
import dev.tulle.conformance.smi.harness.Group;
import dev.tulle.conformance.smi.harness.Pod;
import dev.tulle.conformance.smi.harness.Request;
import dev.tulle.conformance.smi.harness.Stage;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * What a route group matches, seen by a TrafficTarget that allows just that: what matches is answered, what does not is denied.
 *
 * <p>Every case begins with everything denied.
 */
@Group("routes")
final class RouteCases {
    @RegisterExtension
    static final Stage STAGE = Stage.of("routes", Pod.named("alice"), Pod.named("server"));

    private static final String SERVER = "http://server:9091";

    private static Request get(String path) {
        return Request.get(SERVER + path);
    }

    private static Request of(String method, String path) {
        return Request.of(method, SERVER + path);
    }

    @BeforeEach
    void everythingIsDenied() {
        STAGE.begin("without a target all is denied", () -> {
            denied(STAGE.call("alice", get("/")));
            denied(STAGE.call("alice", get("/metrics")));
        });
    }

    /** Allows what these entries match, by a group of that version, and holds both lists against it, twice. */
    private static void matches(String version, List<String> entries, List<Request> these, List<Request> notThese) {
        STAGE.apply(group(version, "routes", entries.toArray(String[]::new))
                + target("v1alpha3", "target", "server", routes("routes"), "alice"));
        holds(these, notThese);
    }

    private static void holds(List<Request> these, List<Request> notThese) {
        live("what matches is answered and nothing else", () -> check(these, notThese));
        check(these, notThese);
    }

    private static void check(List<Request> these, List<Request> notThese) {
        these.forEach(request -> answeredBy(STAGE.call("alice", request.times(2)), "server"));
        notThese.forEach(request -> denied(STAGE.call("alice", request.times(2))));
    }

    // Paths

    @Case(
            id = "path-anchored-at-the-beginning",
            says =
                    "pathRegex is anchored at the beginning of the path and open at its end: /metrics is also /metrics/a, not /a/metrics.",
            api = "HTTPRouteGroup",
            versions = {"v1alpha1", "v1alpha2", "v1alpha3", "v1alpha4"})
    void pathsAreAnchoredAtTheBeginning(String version) {
        matches(
                version,
                List.of("{name: metrics, pathRegex: /metrics, methods: [GET]}"),
                List.of(get("/metrics"), get("/metrics/a"), get("/metricsfoo")),
                List.of(get("/"), get("/a/metrics"), get("/metric"), get("/Metrics")));
    }

    @Case(
            id = "path-is-a-regex",
            says = "pathRegex is a regular expression.",
            api = "HTTPRouteGroup",
            versions = {"v1alpha4"})
    void pathsAreRegularExpressions(String version) {
        matches(
                version,
                List.of("{name: items, pathRegex: \"/items/[0-9]+(/(price|name))?$\", methods: [GET]}"),
                List.of(get("/items/1"), get("/items/42/price"), get("/items/7/name")),
                List.of(get("/items/"), get("/items/x"), get("/items/1/secret"), get("/items/1/price/x")));
    }

    @Case(
            id = "path-alternatives-anchored",
            says = "Every alternative of a pathRegex is anchored at the beginning.",
            api = "HTTPRouteGroup",
            versions = {"v1alpha4"})
    void everyAlternativeIsAnchored(String version) {
        matches(
                version,
                List.of("{name: two, pathRegex: \"/red|/blue\", methods: [GET]}"),
                List.of(get("/red"), get("/blue"), get("/blue/1")),
                List.of(get("/dark/red"), get("/dark/blue"), get("/")));
    }

    @Case(
            id = "path-everything",
            says = "A pathRegex of .* with methods * matches everything.",
            api = "HTTPRouteGroup",
            versions = {"v1alpha1", "v1alpha2", "v1alpha3", "v1alpha4"})
    void everythingIsEverything(String version) {
        matches(
                version,
                List.of("{name: everything, pathRegex: \".*\", methods: [\"*\"]}"),
                List.of(get("/"), get("/a/b?c=d"), of("POST", "/x"), of("DELETE", "/y")),
                List.of());
    }

    @Case(
            id = "path-without-query",
            says = "The query is no part of what pathRegex is held against.",
            api = "HTTPRouteGroup",
            versions = {"v1alpha4"},
            reading =
                    "'the URI' may have a query; rules that end in $ mean the path, and a caller could write anything behind a question mark")
    void theQueryIsNoPartOfIt(String version) {
        matches(
                version,
                List.of(
                        "{name: metrics, pathRegex: \"/metrics$\", methods: [GET]}",
                        "{name: tail, pathRegex: \"/.*/tail$\", methods: [GET]}"),
                List.of(get("/metrics"), get("/metrics?since=1"), get("/a/tail?b")),
                List.of(get("/metrics/1"), get("/other?/metrics"), get("/other?a=/tail"), get("/?x/tail")));
    }

    @Case(
            id = "path-omitted",
            says = "An entry without pathRegex is for every path.",
            api = "HTTPRouteGroup",
            versions = {"v1alpha2", "v1alpha3", "v1alpha4"})
    void noPathIsEveryPath(String version) {
        matches(
                version,
                List.of("{name: reads, methods: [GET]}"),
                List.of(get("/"), get("/any/where")),
                List.of(of("POST", "/"), of("PUT", "/any/where")));
    }

    // Methods

    @Case(
            id = "methods-listed",
            says = "An entry with methods is for these and no others.",
            api = "HTTPRouteGroup",
            versions = {"v1alpha1", "v1alpha2", "v1alpha3", "v1alpha4"})
    void onlyTheMethodsListed(String version) {
        matches(
                version,
                List.of("{name: some, pathRegex: /, methods: [GET, PUT, DELETE]}"),
                List.of(get("/"), of("PUT", "/"), of("DELETE", "/")),
                List.of(of("POST", "/"), of("PATCH", "/"), of("OPTIONS", "/")));
    }

    @Case(
            id = "methods-star",
            says = "The method * is every method.",
            api = "HTTPRouteGroup",
            versions = {"v1alpha1", "v1alpha2", "v1alpha3", "v1alpha4"})
    void aStarIsEveryMethod(String version) {
        matches(
                version,
                List.of("{name: ping, pathRegex: /ping, methods: [\"*\"]}"),
                List.of("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS").stream()
                        .map(method -> of(method, "/ping"))
                        .toList(),
                List.of(get("/pong"), of("POST", "/pong")));
    }

    @Case(
            id = "methods-omitted",
            says = "An entry without methods is for every method.",
            api = "HTTPRouteGroup",
            versions = {"v1alpha2", "v1alpha3", "v1alpha4"})
    void noMethodsAreEveryMethod(String version) {
        matches(
                version,
                List.of("{name: ping, pathRegex: /ping}"),
                List.of(get("/ping"), of("POST", "/ping"), of("DELETE", "/ping"), of("OPTIONS", "/ping")),
                List.of(get("/pong")));
    }

    @Case(
            id = "methods-empty",
            says = "An empty list of methods is as none.",
            api = "HTTPRouteGroup",
            versions = {"v1alpha4"},
            reading = "not said; clients written in Go send an empty list as none")
    void emptyMethodsAreEveryMethod(String version) {
        matches(
                version,
                List.of("{name: ping, pathRegex: /ping, methods: []}"),
                List.of(get("/ping"), of("POST", "/ping")),
                List.of(get("/pong")));
    }

    // Headers

    @Case(
            id = "headers-as-a-map",
            says = "Header filters may be written as a map from name to regular expression; all of them must hold.",
            api = "HTTPRouteGroup",
            versions = {"v1alpha2", "v1alpha3", "v1alpha4"})
    void headersAsAMap(String version) {
        insiders(version, "{user-agent: \".*Android.*\", cookie: \"^(.*?;)?(type=insider)(;.*)?$\"}");
    }

    @Case(
            id = "headers-as-a-list",
            says = "Header filters may be written as a list of maps with one name each; all of them must hold.",
            api = "HTTPRouteGroup",
            versions = {"v1alpha2", "v1alpha3", "v1alpha4"},
            reading = "the text shows a map, the definitions published with it demand a list of maps; both are in use")
    void headersAsAList(String version) {
        insiders(version, "[{user-agent: \".*Android.*\"}, {cookie: \"^(.*?;)?(type=insider)(;.*)?$\"}]");
    }

    @Case(
            id = "headers-as-a-list-of-wide-maps",
            says = "In a list of maps a map may hold several names; all of them must hold.",
            api = "HTTPRouteGroup",
            versions = {"v1alpha4"},
            reading = "neither form forbids it; to drop a condition would match more than was written")
    void headersAsAListOfWideMaps(String version) {
        insiders(version, "[{user-agent: \".*Android.*\", cookie: \"^(.*?;)?(type=insider)(;.*)?$\"}]");
    }

    private static void insiders(String version, String headers) {
        Request android = get("/").header("User-Agent", "Mozilla/5.0 (Android 16)");
        matches(
                version,
                List.of("{name: android-insiders, headers: %s}".formatted(headers)),
                List.of(android.header("Cookie", "type=insider"), android.header("Cookie", "a=b;type=insider;c=d")),
                List.of(
                        android,
                        android.header("Cookie", "type=insiders"),
                        get("/").header("Cookie", "type=insider"),
                        get("/").header("User-Agent", "Firefox").header("Cookie", "type=insider")));
    }

    @Case(
            id = "header-names-without-case",
            says = "Header names are the same in upper and lower case, over HTTP/1 and HTTP/2.",
            api = "HTTPRouteGroup",
            versions = {"v1alpha4"})
    void headerNamesHaveNoCase(String version) {
        Request lower = get("/").header("x-role", "admin");
        Request upper = get("/").header("X-Role", "admin");
        matches(
                version,
                List.of("{name: admins, headers: {X-ROLE: \"^admin$\"}}"),
                List.of(lower, upper, lower.overHttp2(), upper.overHttp2()),
                List.of(
                        get("/"),
                        get("/").overHttp2(),
                        get("/").header("x-role", "user"),
                        get("/").header("x-roles", "admin")));
    }

    @Case(
            id = "header-values-whole",
            says = "A header's regular expression is held against the whole value.",
            api = "HTTPRouteGroup",
            versions = {"v1alpha4"},
            reading =
                    "anchoring is not said; the examples write .*Firefox.* for a part, which would be needless otherwise, and it is the safer one for access")
    void headerValuesAreWhole(String version) {
        matches(
                version,
                List.of("{name: admins, headers: {x-role: admin}}"),
                List.of(get("/").header("x-role", "admin")),
                List.of(get("/").header("x-role", "no-admin-at-all"), get("/").header("x-role", "admin2"), get("/")));
    }

    @Case(
            id = "header-host",
            says = "The header host is the authority that is called.",
            api = "HTTPRouteGroup",
            versions = {"v1alpha4"},
            reading = "not said; HTTP/2 has no header of that name, and rules that name it mean this")
    void theHostIsTheAuthority(String version) {
        matches(
                version,
                List.of("{name: hosts, headers: {host: \"shop\\\\.example(:9091)?\"}}"),
                List.of(
                        get("/").header("Host", "shop.example"),
                        get("/").header("Host", "shop.example").overHttp2()),
                List.of(get("/"), get("/").overHttp2(), get("/").header("Host", "other.example")));
    }

    // Together

    @Case(
            id = "and-within-an-entry",
            says =
                    "Path, method and headers of one entry must all hold, as in the example of iPhone users that read below /api.",
            api = "HTTPRouteGroup",
            versions = {"v1alpha2", "v1alpha3", "v1alpha4"})
    void allOfAnEntryMustHold(String version) {
        Request iphone = get("/api/items").header("User-Agent", "Mozilla/5.0 (iPhone)");
        matches(
                version,
                List.of(
                        "{name: iphone-users, pathRegex: \"/api/.*\", methods: [GET, HEAD], headers: {user-agent: \".*iPhone.*\"}}"),
                List.of(iphone, of("HEAD", "/api/").header("User-Agent", "iPhone")),
                List.of(
                        get("/api/items"),
                        get("/other").header("User-Agent", "iPhone"),
                        of("POST", "/api/items").header("User-Agent", "iPhone"),
                        get("/api/items").header("User-Agent", "Android")));
    }

    @Case(
            id = "or-among-entries",
            says = "One entry of a group that holds is enough, and no request is put together from several.",
            api = "HTTPRouteGroup",
            versions = {"v1alpha1", "v1alpha2", "v1alpha3", "v1alpha4"})
    void anyEntryIsEnough(String version) {
        matches(
                version,
                List.of(
                        "{name: reads, pathRegex: /a, methods: [GET]}",
                        "{name: writes, pathRegex: /b, methods: [POST]}"),
                List.of(get("/a"), of("POST", "/b")),
                List.of(of("POST", "/a"), get("/b"), get("/c")));
    }

    @Case(
            id = "http2-and-grpc",
            says = "A group describes HTTP/2 as it does HTTP/1; a gRPC call is a POST to /package.Service/Method.",
            api = "HTTPRouteGroup",
            versions = {"v1alpha4"})
    void http2IsAsHttp1(String version) {
        Request call = of("POST", "/shop.v1.Catalog/Get")
                .header("content-type", "application/grpc")
                .overHttp2();
        matches(
                version,
                List.of("{name: catalog, pathRegex: \"/shop\\\\.v1\\\\.Catalog/Get$\", methods: [POST]}"),
                List.of(call, of("POST", "/shop.v1.Catalog/Get")),
                List.of(
                        of("GET", "/shop.v1.Catalog/Get").overHttp2(),
                        of("POST", "/shop.v1.Catalog/GetAll").overHttp2(),
                        of("POST", "/shop-v1.Catalog/Get").overHttp2()));
    }

    // Forms

    @Case(
            id = "matches-at-the-top",
            says =
                    "A group of a later version with its matches at the top, as the specification's A/B example and the published suite write it, has them.",
            api = "HTTPRouteGroup",
            versions = {"v1alpha3", "v1alpha4"},
            reading = "an old form that is still in the text of v1alpha4")
    void matchesAtTheTop(String version) {
        STAGE.apply("""
                apiVersion: specs.smi-spec.io/%s
                kind: HTTPRouteGroup
                metadata: {name: routes}
                matches: [{name: metrics, pathRegex: /metrics, methods: ["*"]}]
                """.formatted(version) + target("v1alpha3", "target", "server", routes("routes"), "alice"));
        holds(List.of(get("/metrics")), List.of(get("/echo")));
    }

    @Case(
            id = "matches-in-both-places",
            says = "Of a group with matches in both places those in spec hold.",
            api = "HTTPRouteGroup",
            versions = {"v1alpha3", "v1alpha4"},
            reading = "spec is where these versions have them; the published suite patches them in beside the old ones")
    void matchesInBothPlaces(String version) {
        STAGE.apply("""
                apiVersion: specs.smi-spec.io/%s
                kind: HTTPRouteGroup
                metadata: {name: routes}
                matches: [{name: m, pathRegex: /metrics, methods: ["*"]}]
                spec: {matches: [{name: m, pathRegex: /echo, methods: [GET]}]}
                """.formatted(version) + target("v1alpha3", "target", "server", routes("routes"), "alice"));
        holds(List.of(get("/echo")), List.of(get("/metrics"), of("POST", "/echo")));
    }

    @Case(
            id = "changed",
            says = "A changed group matches what it then says and no more.",
            api = "HTTPRouteGroup",
            versions = {"v1alpha1", "v1alpha4"})
    void aChangedGroup(String version) {
        matches(
                version,
                List.of("{name: m, pathRegex: /red, methods: [GET]}"),
                List.of(get("/red")),
                List.of(get("/blue")));
        matches(
                version,
                List.of("{name: m, pathRegex: /blue, methods: [GET]}"),
                List.of(get("/blue")),
                List.of(get("/red")));
        STAGE.home().delete(Objects.SPECS + version, "HTTPRouteGroup", "routes");
        List<Request> both = new ArrayList<>(List.of(get("/red"), get("/blue")));
        holds(List.of(), both);
    }
}
