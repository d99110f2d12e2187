package dev.tulle.proxy.policy;

import static dev.tulle.proxy.match.Requests.request;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import dev.tulle.proxy.match.HttpCall;
import dev.tulle.proxy.match.Requests;
import dev.tulle.proxy.model.Grant;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.HttpMatch;
import dev.tulle.proxy.model.InboundPolicy;
import dev.tulle.proxy.model.InboundPolicy.Access;
import dev.tulle.proxy.model.InboundPolicy.Unmeshed;
import dev.tulle.proxy.model.InboundPort;
import dev.tulle.proxy.model.Protocol;
import dev.tulle.proxy.model.RandomValues;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.WorkloadConfig;
import dev.tulle.proxy.model.WorkloadId;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class AuthorizerTest {
    private static final SpiffeId REVIEWS = new SpiffeId("cluster.local", "shop", "reviews");

    /** The workload's own identity among the random ones. */
    private static final SpiffeId RANDOM_SELF = new SpiffeId("cluster.local", "a", "a");

    private static final Caller WEB = Caller.of(new SpiffeId("cluster.local", "shop", "web"));
    private static final Caller THIEF = Caller.of(new SpiffeId("cluster.local", "shop", "thief"));
    private static final InboundCall READ = InboundCall.request(9080, request("GET", "/reviews/1"));
    private static final InboundCall WRITE = InboundCall.request(9080, request("POST", "/reviews/1"));
    private static final InboundCall OPAQUE = InboundCall.connection(9080);

    @ParameterizedTest
    @CsvSource({
        // access, unmeshed, verdict on plain text, verdict on an identity without grant
        "OPEN, ALLOW, open, open",
        "OPEN, DENY, !unmeshed-denied, open",
        "OPEN, ALWAYS, unmeshed-always, open",
        "CLOSED, ALLOW, !no-identity, !no-grant",
        "CLOSED, DENY, !unmeshed-denied, !no-grant",
        "CLOSED, ALWAYS, unmeshed-always, !no-grant",
        "AUDIT, ALLOW, ?no-identity, ?no-grant",
        "AUDIT, DENY, !unmeshed-denied, ?no-grant",
        "AUDIT, ALWAYS, unmeshed-always, ?no-grant",
    })
    void treatsCallersWithoutGrantAsItsSettingsSay(Access access, Unmeshed unmeshed, String plain, String meshed) {
        Authorizer authorizer = authorizer(new InboundPolicy(access, unmeshed, false, List.of()));
        assertThat(word(authorizer.judge(Caller.UNMESHED, READ))).isEqualTo(plain);
        assertThat(word(authorizer.judge(WEB, READ))).isEqualTo(meshed);
        assertThat(word(authorizer.judge(WEB, OPAQUE))).isEqualTo(meshed);
    }

    @ParameterizedTest
    @EnumSource(
            value = Access.class,
            names = {"CLOSED", "AUDIT"})
    void letsTheOwnIdentityInOnlyWhenAsked(Access access) {
        Caller self = Caller.of(REVIEWS);
        Authorizer asked = authorizer(new InboundPolicy(access, Unmeshed.ALLOW, true, List.of()));
        Authorizer not = authorizer(new InboundPolicy(access, Unmeshed.ALLOW, false, List.of()));
        assertThat(word(asked.judge(self, OPAQUE))).isEqualTo("same-identity");
        assertThat(word(asked.judge(WEB, OPAQUE))).endsWith("no-grant");
        assertThat(word(not.judge(self, OPAQUE))).endsWith("no-grant");
    }

    @Test
    void deniesEveryoneBeforeTheFirstPolicy() {
        for (Caller caller : List.of(Caller.UNMESHED, WEB, Caller.of(REVIEWS))) {
            assertThat(word(Authorizer.withoutPolicy().judge(caller, READ))).isEqualTo("!no-policy");
        }
    }

    @Test
    void letsSourcesDoEverythingUnderAGrantThatRestrictsNothing() {
        Authorizer authorizer = closed(grant("all", Optional.empty(), Optional.empty()));
        for (InboundCall call : List.of(READ, WRITE, OPAQUE, InboundCall.connection(1234))) {
            assertThat(word(authorizer.judge(WEB, call))).isEqualTo("shop/all");
            assertThat(word(authorizer.judge(THIEF, call))).isEqualTo("!no-grant");
            assertThat(word(authorizer.judge(Caller.UNMESHED, call))).isEqualTo("!no-identity");
        }
    }

    @Test
    void letsEveryProtocolInUnderAGrantOfPortsOnly() {
        Authorizer authorizer = closed(grant("tcp", Optional.of(List.of(9080)), Optional.empty()));
        assertThat(word(authorizer.judge(WEB, READ))).isEqualTo("shop/tcp");
        assertThat(word(authorizer.judge(WEB, OPAQUE))).isEqualTo("shop/tcp");
        assertThat(word(authorizer.judge(WEB, InboundCall.connection(9090)))).isEqualTo("!no-port");
    }

    @Test
    void givesNothingToOpaqueConnectionsUnderAGrantOfRoutesOnly() {
        Authorizer authorizer = closed(grant("http", Optional.empty(), reading()));
        assertThat(word(authorizer.judge(WEB, READ))).isEqualTo("shop/http");
        assertThat(word(authorizer.judge(WEB, InboundCall.request(1, request("GET", "/reviews")))))
                .isEqualTo("shop/http");
        assertThat(word(authorizer.judge(WEB, WRITE))).isEqualTo("!no-route");
        assertThat(word(authorizer.judge(WEB, OPAQUE))).isEqualTo("!not-http");
    }

    @Test
    void asksForPortAndRouteWhenAGrantHasBoth() {
        Authorizer authorizer = closed(grant("both", Optional.of(List.of(9080)), reading()));
        assertThat(word(authorizer.judge(WEB, READ))).isEqualTo("shop/both");
        assertThat(word(authorizer.judge(WEB, InboundCall.request(9090, request("GET", "/reviews")))))
                .isEqualTo("!no-port");
        assertThat(word(authorizer.judge(WEB, WRITE))).isEqualTo("!no-route");
    }

    @Test
    void takesTheUnionOfGrantsButNeverHalvesOfTwo() {
        Authorizer authorizer = closed(
                grant("port", Optional.of(List.of(9090)), Optional.empty()),
                grant("route", Optional.of(List.of(1)), reading()));
        // Port of the first, route of the second: neither allows it as a whole.
        assertThat(word(authorizer.judge(WEB, READ))).isEqualTo("!no-port");
        assertThat(word(authorizer.judge(WEB, InboundCall.connection(9090)))).isEqualTo("shop/port");
        assertThat(word(authorizer.judge(WEB, InboundCall.request(1, request("GET", "/reviews")))))
                .isEqualTo("shop/route");
    }

    @Test
    void knowsAPortByTheNumbersOfItsServicesToo() {
        Authorizer authorizer = closed(grant("service", Optional.of(List.of(80)), Optional.empty()));
        assertThat(word(authorizer.judge(WEB, READ))).isEqualTo("shop/service");
        // A port of that number which is not the one behind the Service.
        assertThat(word(authorizer.judge(WEB, InboundCall.connection(9090)))).isEqualTo("!no-port");
    }

    @Test
    void failsClosedWhereAConditionCannotBeMet() {
        Authorizer authorizer = closed(
                grant("no-ports", Optional.of(List.of()), Optional.empty()),
                grant("no-routes", Optional.empty(), Optional.of(List.of())),
                grant("bad-regex", Optional.empty(), Optional.of(List.of(match("(")))));
        assertThat(word(authorizer.judge(WEB, READ))).isEqualTo("!no-route");
        assertThat(word(authorizer.judge(WEB, OPAQUE))).isEqualTo("!not-http");
        assertThat(authorizer.problems()).singleElement().asString().startsWith("shop/bad-regex: pathRegex '('");
        assertThat(authorizer.explain(WEB, READ))
                .extracting(GrantOutcome::words)
                .satisfiesExactly(
                        words -> assertThat(words)
                                .isEqualTo("allows only everything on no port (none of its TCPRoutes exists)"),
                        words -> assertThat(words)
                                .isEqualTo("allows only no request (none of its HTTPRouteGroups exists)"),
                        words -> assertThat(words).startsWith("allows only nothing (its pathRegex is not RE2 syntax"));
    }

    @Test
    void tellsTheCureWithADenial() {
        Authorizer authorizer = closed(
                grant("x", Optional.of(List.of(80, 9090)), Optional.of(List.of(match("/reviews"), match("/stars")))));
        assertThat(detail(authorizer.judge(WEB, InboundCall.request(9080, request("GET", "/admin")))))
                .isEqualTo(
                        "no TrafficTarget lets spiffe://cluster.local/ns/shop/sa/web call port 9080 of shop/reviews-1; "
                                + "the nearest one, shop/x, allows only GET /reviews or GET /stars on port 80 or 9090");
        assertThat(detail(authorizer.judge(WEB, OPAQUE)))
                .startsWith(
                        "no TrafficTarget lets spiffe://cluster.local/ns/shop/sa/web call port 9080 of shop/reviews-1 "
                                + "without HTTP; the nearest one, shop/x, allows only ");
        assertThat(detail(authorizer.judge(THIEF, READ)))
                .isEqualTo(
                        "no TrafficTarget lets spiffe://cluster.local/ns/shop/sa/thief call port 9080 of shop/reviews-1; "
                                + "add it to the sources of shop/x");
        assertThat(detail(closed().judge(THIEF, READ))).endsWith("; write one that names it as a source");
        assertThat(detail(closed().judge(Caller.UNMESHED, READ)))
                .isEqualTo("shop/reviews-1 is closed and the caller has no identity: give the caller a sidecar, "
                        + "or set tulle.dev/unmeshed: always");
    }

    @Test
    void namesTheGrantThatCameNearest() {
        Authorizer authorizer = closed(
                grant("port", Optional.of(List.of(1)), Optional.empty()),
                grant("route", Optional.empty(), reading()),
                grant("second-route", Optional.empty(), reading()));
        assertThat(detail(authorizer.judge(WEB, WRITE)))
                .contains("the nearest one, shop/route, allows only GET /reviews");
    }

    @Test
    void keepsDetailsFitForAHeaderLine() {
        Authorizer authorizer = closed(grant(
                "x", Optional.empty(), Optional.of(List.of(match("/ümlaut\r\nx-injected: 1" + "y".repeat(900))))));
        assertThat(detail(authorizer.judge(WEB, READ))).matches("[ -~]{512}").endsWith("...");
        assertThat(authorizer.explain(WEB, READ).get(0).words()).matches("[ -~]{512}");
    }

    @Test
    void allowsExactlyWhatANaiveReadingOfTheRulesAllows() {
        Random random = new Random(6);
        RandomValues values = new RandomValues(random);
        int allowed = 0;
        int denied = 0;
        for (int i = 0; i < 2_000; i++) {
            InboundPolicy policy = values.policy();
            Authorizer authorizer = authorizer(policy, RANDOM_SELF, 1, 3);
            for (int j = 0; j < 10; j++) {
                Caller caller = new Caller(random.nextInt(4) == 0 ? Optional.empty() : Optional.of(values.spiffeId()));
                InboundCall call = randomCall(random, values);
                Verdict verdict = authorizer.judge(caller, call);
                boolean expected = naivelyAllowed(policy, caller, call);
                assertThat(verdict instanceof Verdict.Allow)
                        .as("%s by %s under %s", call, caller, policy)
                        .isEqualTo(expected);
                assertExplanationAgrees(authorizer, policy, caller, call, verdict);
                allowed += expected ? 1 : 0;
                denied += expected ? 0 : 1;
            }
        }
        assertThat(allowed).isGreaterThan(2_500);
        assertThat(denied).isGreaterThan(2_500);
    }

    private static void assertExplanationAgrees(
            Authorizer authorizer, InboundPolicy policy, Caller caller, InboundCall call, Verdict verdict) {
        List<GrantOutcome> outcomes = authorizer.explain(caller, call);
        assertThat(outcomes)
                .extracting(GrantOutcome::target)
                .isEqualTo(policy.grants().stream().map(Grant::target).toList());
        Optional<GrantOutcome> first =
                outcomes.stream().filter(outcome -> outcome.failed().isEmpty()).findFirst();
        switch (verdict) {
            case Verdict.Allow(String rule)
            when rule.contains("/") ->
                assertThat(first)
                        .hasValueSatisfying(
                                outcome -> assertThat(outcome.target()).isEqualTo(rule));
            case Verdict.Allow implied ->
                assertThat(implied.rule())
                        .isIn(Verdict.Allow.OPEN, Verdict.Allow.UNMESHED, Verdict.Allow.SAME_IDENTITY);
            case Verdict.Audit audit -> {
                assertThat(policy.access()).isEqualTo(Access.AUDIT);
                assertThat(first).isEmpty();
                assertIsOneOf(audit.reason(), outcomes);
            }
            case Verdict.Deny deny -> {
                if (deny.reason() == Reason.UNMESHED_DENIED) {
                    assertThat(policy.unmeshed()).isEqualTo(Unmeshed.DENY);
                } else {
                    assertThat(policy.access()).isEqualTo(Access.CLOSED);
                    assertIsOneOf(deny.reason(), outcomes);
                }
                assertThat(first).isEmpty();
            }
        }
    }

    private static void assertIsOneOf(Reason reason, List<GrantOutcome> outcomes) {
        if (!outcomes.isEmpty()) {
            assertThat(outcomes.stream().flatMap(outcome -> outcome.failed().stream()))
                    .contains(reason);
        }
    }

    /** The rules as design and SMI say them, without any of the code under test. */
    private static boolean naivelyAllowed(InboundPolicy policy, Caller caller, InboundCall call) {
        if (caller.identity().isEmpty()) {
            return policy.unmeshed() == Unmeshed.ALWAYS
                    || (policy.unmeshed() == Unmeshed.ALLOW && policy.access() == Access.OPEN);
        }
        if (policy.access() == Access.OPEN) {
            return true;
        }
        if (policy.sameIdentity() && caller.identity().get().equals(RANDOM_SELF)) {
            return true;
        }
        List<Integer> names = call.port() == 1 ? List.of(1, 3) : List.of(call.port());
        return policy.grants().stream()
                .anyMatch(grant -> grant.sources().contains(caller.identity().get())
                        && (grant.ports().isEmpty()
                                || grant.ports().get().stream().anyMatch(names::contains))
                        && (grant.routes().isEmpty()
                                || (call.http().isPresent()
                                        && grant.routes().get().stream()
                                                .anyMatch(match -> naivelyMatches(
                                                        match, call.http().get())))));
    }

    private static boolean naivelyMatches(HttpMatch match, HttpCall call) {
        boolean path = match.path()
                .map(pattern -> matches(pattern.regex(), call.path(), pattern.full()))
                .orElse(true);
        boolean method = match.methods().isEmpty() || match.methods().contains(call.method());
        boolean headers = match.headers().stream().allMatch(header -> {
            List<String> values = call.values(header.name());
            return !values.isEmpty() && values.stream().allMatch(value -> matches(header.regex(), value, true));
        });
        return path && method && headers;
    }

    private static boolean matches(String regex, String text, boolean full) {
        try {
            var matcher = Pattern.compile(regex).matcher(text);
            return full ? matcher.matches() : matcher.lookingAt();
        } catch (PatternSyntaxException e) {
            return false;
        }
    }

    private static InboundCall randomCall(Random random, RandomValues values) {
        if (random.nextInt(4) == 0) {
            return InboundCall.connection(values.port());
        }
        return InboundCall.request(
                values.port(),
                new Requests.Request(
                        values.one("GET", "POST", "HEAD"),
                        values.one("/a", "/b", "/a/b", "/c", "*", "/"),
                        Map.of(
                                "x-user",
                                values.list(2, () -> values.one("a", "b", "ab", "")),
                                "host",
                                List.of(values.one("a", "b")))));
    }

    private static Authorizer closed(Grant... grants) {
        return authorizer(new InboundPolicy(Access.CLOSED, Unmeshed.ALLOW, false, List.of(grants)));
    }

    private static Authorizer authorizer(InboundPolicy policy) {
        return authorizer(policy, REVIEWS, 9080, 80);
    }

    private static Authorizer authorizer(InboundPolicy policy, SpiffeId identity, int port, int servicePort) {
        return Authorizer.of(new WorkloadConfig(
                new WorkloadId("shop", "reviews-1"),
                "reviews",
                identity,
                List.of(new InboundPort(
                        "http",
                        port,
                        List.of(servicePort),
                        Protocol.HTTP,
                        Optional.empty(),
                        new HostPort("127.0.0.1", port))),
                List.of(),
                policy,
                List.of(),
                Optional.empty()));
    }

    private static Grant grant(String name, Optional<List<Integer>> ports, Optional<List<HttpMatch>> routes) {
        return new Grant("shop/" + name, List.of(WEB.identity().orElseThrow()), ports, routes);
    }

    private static Optional<List<HttpMatch>> reading() {
        return Optional.of(List.of(match("/reviews")));
    }

    private static HttpMatch match(String path) {
        return new HttpMatch(
                "group/entry", Optional.of(new HttpMatch.PathPattern(path, false)), List.of("GET"), List.of());
    }

    /** The rule that allows; or the reason, after ? for an audit and ! for a denial. */
    private static String word(Verdict verdict) {
        return switch (verdict) {
            case Verdict.Allow allow -> allow.rule();
            case Verdict.Audit audit -> "?" + audit.reason().wireName();
            case Verdict.Deny deny -> "!" + deny.reason().wireName();
        };
    }

    private static String detail(Verdict verdict) {
        return switch (verdict) {
            case Verdict.Allow allow -> "allowed by " + allow.rule();
            case Verdict.Audit audit -> audit.detail();
            case Verdict.Deny deny -> deny.detail();
        };
    }
}
