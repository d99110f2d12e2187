package dev.tulle.conformance.smi.sentences;

import static dev.tulle.conformance.smi.harness.Within.live;
import static dev.tulle.conformance.smi.sentences.Expect.answeredBy;
import static dev.tulle.conformance.smi.sentences.Expect.share;
import static dev.tulle.conformance.smi.sentences.Objects.everything;
import static dev.tulle.conformance.smi.sentences.Objects.group;
import static dev.tulle.conformance.smi.sentences.Objects.matchedSplit;
import static dev.tulle.conformance.smi.sentences.Objects.split;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.conformance.smi.harness.Calls;
import dev.tulle.conformance.smi.harness.Case;
import dev.tulle.conformance.smi.harness.Group;
import dev.tulle.conformance.smi.harness.Pod;
import dev.tulle.conformance.smi.harness.Request;
import dev.tulle.conformance.smi.harness.Stage;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Splits of some requests only: those that a route group matches go to the backends, all others to the root's own pod. */
@Group("split-matches")
final class SplitMatchesCases {
    @RegisterExtension
    static final Stage STAGE = Stage.of(
            "split-matches",
            Pod.named("alice"),
            Pod.named("shop"),
            Pod.named("v1").runningAs("shop"),
            Pod.named("v2").runningAs("shop"));

    private static final String FIREFOX = "{name: firefox, headers: {user-agent: \".*Firefox.*\"}}";
    private static final Request PLAIN = Request.get("http://shop:9091/").times(20);
    private static final Request FIREFOX_USER = PLAIN.header("User-Agent", "Mozilla/5.0 Firefox/140.0");

    @BeforeAll
    static void letCallersIn() {
        STAGE.keep(Pod.HOME, everything("shop", "alice"));
    }

    private static Calls call(Request request) {
        return STAGE.call("alice", request);
    }

    @BeforeEach
    void theRootAloneAnswers() {
        STAGE.begin("without a split the root's own pod answers", () -> {
            answeredBy(call(PLAIN), "shop");
            answeredBy(call(FIREFOX_USER), "shop");
        });
    }

    /** Waits until {@code matching} goes to v2; then repeats that, and holds that all others go to the root. */
    private static void onlyTheseAreSplit(Request matching, Request... others) {
        live("matching requests go to the backend", () -> answeredBy(call(matching), "v2"));
        answeredBy(call(matching.times(50)), "v2");
        for (Request other : others) {
            answeredBy(call(other), "shop");
        }
    }

    @Case(
            id = "header",
            says =
                    "Requests that satisfy a header filter go to the backends by their weights, all others to the root Service.",
            api = "TrafficSplit",
            versions = {"v1alpha3", "v1alpha4"})
    void whatAHeaderSays(String version) {
        STAGE.apply(group(version, "ab", FIREFOX) + matchedSplit(version, "ab", "shop", "ab", "v1", 0, "v2", 100));
        onlyTheseAreSplit(FIREFOX_USER, PLAIN, PLAIN.header("User-Agent", "Chromium"));
    }

    @Case(
            id = "weights",
            says = "Among the requests that match, the weights hold.",
            api = "TrafficSplit",
            versions = {"v1alpha3", "v1alpha4"})
    void weightsHoldAmongThem(String version) {
        STAGE.apply(group(version, "ab", FIREFOX) + matchedSplit(version, "ab", "shop", "ab", "v1", 75, "v2", 25));
        live("matching requests go to the backends", () -> answeredBy(call(FIREFOX_USER), "v1", "v2"));
        share(answeredBy(call(FIREFOX_USER.times(1000)), "v1", "v2"), 25, 100, "v2");
        answeredBy(call(PLAIN.times(100)), "shop");
    }

    @Case(
            id = "group-as-in-the-example",
            says =
                    "The route group may have its matches at the top, with headers as a list, as the specification's own example has.",
            api = "TrafficSplit",
            versions = {"v1alpha4"})
    void theExampleAsItStands(String version) {
        STAGE.apply("""
                apiVersion: specs.smi-spec.io/v1alpha4
                kind: HTTPRouteGroup
                metadata: {name: ab-test}
                matches:
                - name: firefox-users
                  headers:
                  - user-agent: ".*Firefox.*"
                """ + matchedSplit(version, "ab-test", "shop", "ab-test", "v1", 0, "v2", 100));
        onlyTheseAreSplit(FIREFOX_USER, PLAIN);
    }

    @Case(
            id = "header-and",
            says = "Of a route with several header filters all must be satisfied.",
            api = "TrafficSplit",
            versions = {"v1alpha4"})
    void allHeadersOfARoute(String version) {
        STAGE.apply(group(
                        version,
                        "ab",
                        "{name: insiders, headers: {user-agent: \".*Android.*\", cookie: \"^(.*?;)?(type=insider)(;.*)?$\"}}")
                + matchedSplit(version, "ab", "shop", "ab", "v2", 1));
        Request android = PLAIN.header("User-Agent", "Mozilla/5.0 (Android 16)");
        onlyTheseAreSplit(
                android.header("Cookie", "a=b;type=insider"),
                android,
                android.header("Cookie", "type=outsider"),
                PLAIN.header("Cookie", "type=insider"));
    }

    @Case(
            id = "routes-or",
            says = "Of several routes in a group one that is satisfied is enough.",
            api = "TrafficSplit",
            versions = {"v1alpha4"})
    void anyRouteOfAGroup(String version) {
        STAGE.apply(group(version, "ab", FIREFOX, "{name: testers, headers: {x-test: \"yes\"}}")
                + matchedSplit(version, "ab", "shop", "ab", "v2", 1));
        onlyTheseAreSplit(FIREFOX_USER, PLAIN, PLAIN.header("X-Test", "no"));
        answeredBy(call(PLAIN.header("X-Test", "yes")), "v2");
    }

    @Case(
            id = "groups-merged",
            says = "The routes of several groups count as those of one.",
            api = "TrafficSplit",
            versions = {"v1alpha3", "v1alpha4"})
    void allGroupsTogether(String version) {
        STAGE.apply(group(version, "one", FIREFOX)
                + group(version, "two", "{name: testers, headers: {x-test: \"yes\"}}")
                + matchedSplit(version, "ab", "shop", "one, two", "v2", 1));
        onlyTheseAreSplit(FIREFOX_USER, PLAIN, PLAIN.header("X-Test", "no"));
        answeredBy(call(PLAIN.header("X-Test", "yes")), "v2");
    }

    @Case(
            id = "path",
            says = "Routes of the group that name a path select requests by it.",
            api = "TrafficSplit",
            versions = {"v1alpha4"},
            reading =
                    "the text speaks of header filters; a group's routes may have paths as well, and dropping a condition would select more than was written")
    void whatAPathSays(String version) {
        STAGE.apply(group(version, "ab", "{name: api, pathRegex: /api}")
                + matchedSplit(version, "ab", "shop", "ab", "v2", 1));
        onlyTheseAreSplit(
                Request.get("http://shop:9091/api/items").times(20),
                PLAIN,
                Request.get("http://shop:9091/v1/api").times(20));
    }

    @Case(
            id = "method",
            says = "Routes of the group that name methods select requests by them.",
            api = "TrafficSplit",
            versions = {"v1alpha4"},
            reading = "as for paths")
    void whatAMethodSays(String version) {
        STAGE.apply(group(version, "ab", "{name: writes, methods: [PUT, DELETE]}")
                + matchedSplit(version, "ab", "shop", "ab", "v2", 1));
        onlyTheseAreSplit(
                Request.of("PUT", "http://shop:9091/").times(20),
                PLAIN,
                Request.of("POST", "http://shop:9091/").times(20));
    }

    @Case(
            id = "http2",
            says = "Route groups describe HTTP/2 as they do HTTP/1.",
            api = "TrafficSplit",
            versions = {"v1alpha4"})
    void whatIsSaidInHttp2(String version) {
        STAGE.apply(group(version, "ab", FIREFOX) + matchedSplit(version, "ab", "shop", "ab", "v2", 1));
        onlyTheseAreSplit(FIREFOX_USER.overHttp2(), PLAIN.overHttp2());
    }

    @Case(
            id = "group-changed",
            says = "A changed route group selects other requests.",
            api = "TrafficSplit",
            versions = {"v1alpha4"})
    void aChangedGroup(String version) {
        STAGE.apply(group(version, "ab", FIREFOX) + matchedSplit(version, "ab", "shop", "ab", "v2", 1));
        onlyTheseAreSplit(FIREFOX_USER, PLAIN);
        STAGE.apply(group(version, "ab", "{name: testers, headers: {x-test: \"yes\"}}"));
        onlyTheseAreSplit(PLAIN.header("X-Test", "yes"), PLAIN, FIREFOX_USER);
    }

    @Case(
            id = "group-missing",
            says = "A split whose route group does not exist selects no request.",
            api = "TrafficSplit",
            versions = {"v1alpha4"},
            reading = "not said; without its condition the split would take the traffic of everybody")
    void aMissingGroupSelectsNothing(String version) {
        STAGE.apply(matchedSplit(version, "ab", "shop", "nowhere", "v2", 1) + split(version, "witness", "v2", "v1", 1));
        live(
                "a split made after it holds",
                () -> answeredBy(call(Request.get("http://v2:9091/").times(5)), "v1"));
        answeredBy(call(FIREFOX_USER.times(50)), "shop");
        STAGE.apply(group(version, "nowhere", FIREFOX));
        onlyTheseAreSplit(FIREFOX_USER, PLAIN);
    }

    @Case(
            id = "beside-a-split-without",
            says =
                    "A split with matches stands before one without: its requests go to its backends, all others by the other split.",
            api = "TrafficSplit",
            versions = {"v1alpha4"},
            reading = "not said whether one root may have both; this is an A/B test beside a canary")
    void anAbTestBesideACanary(String version) {
        STAGE.apply(group(version, "ab", FIREFOX)
                + split(version, "a-canary", "shop", "v1", 1)
                + matchedSplit(version, "b-test", "shop", "ab", "v2", 1));
        live("both splits hold", () -> {
            answeredBy(call(FIREFOX_USER), "v2");
            answeredBy(call(PLAIN), "v1");
        });
        answeredBy(call(FIREFOX_USER.times(50)), "v2");
        answeredBy(call(PLAIN.times(50)), "v1");
    }

    @Case(
            id = "deleted",
            says = "When the split is deleted, all requests go to the root Service again.",
            api = "TrafficSplit",
            versions = {"v1alpha3", "v1alpha4"})
    void deletionRestoresTheService(String version) {
        STAGE.apply(group(version, "ab", FIREFOX) + matchedSplit(version, "ab", "shop", "ab", "v2", 1));
        onlyTheseAreSplit(FIREFOX_USER, PLAIN);
        STAGE.home().delete(Objects.SPLIT + version, "TrafficSplit", "ab");
        live("the root's own pod answers", () -> answeredBy(call(FIREFOX_USER), "shop"));
        answeredBy(call(FIREFOX_USER.times(50)), "shop");
    }

    @Case(
            id = "tcp",
            says = "A connection that is not HTTP satisfies no route, so it goes to the root Service.",
            api = "TrafficSplit",
            versions = {"v1alpha4"},
            reading =
                    "follows from 'if the conditions do not match the incoming request'; the specification does not speak of TCP here")
    void whatIsNotHttpIsNotSelected(String version) {
        STAGE.apply(group(version, "ab", "{name: all, pathRegex: \".*\"}")
                + matchedSplit(version, "ab", "shop", "ab", "v2", 1));
        live("requests go to the backend", () -> answeredBy(call(PLAIN), "v2"));
        answeredBy(STAGE.connect("alice", "shop:9093", 20), "shop");
    }

    @Case(
            id = "old-client-keeps-matches",
            says = "A client of an older version that changes the weights does not make an A/B test a canary.",
            api = "TrafficSplit",
            versions = {"v1alpha1", "v1alpha2"},
            reading =
                    "versions without matches cannot show them; that they are lost when such a client writes is nowhere said and would be dangerous")
    void anOldClientKeepsTheMatches(String version) {
        STAGE.apply(group("v1alpha4", "ab", FIREFOX) + matchedSplit("v1alpha4", "ab", "shop", "ab", "v1", 1, "v2", 0));
        live("matching requests go to the first backend", () -> answeredBy(call(FIREFOX_USER), "v1"));
        STAGE.apply(split(version, "ab", "shop", "v1", 0, "v2", 1));
        onlyTheseAreSplit(FIREFOX_USER, PLAIN);
        assertThat(STAGE.home()
                        .read("split.smi-spec.io/v1alpha4", "TrafficSplit", "ab")
                        .at("/spec/matches/0/name")
                        .asText())
                .as("spec.matches[0].name, read as v1alpha4")
                .isEqualTo("ab");
    }
}
