package dev.tulle.proxy.policy;

import dev.tulle.proxy.match.HttpMatcher;
import dev.tulle.proxy.model.Grant;
import dev.tulle.proxy.model.SpiffeId;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** One {@link Grant}, compiled: its conditions, and how to say which of them fails. */
final class GrantRule {
    /** Most ports or matches that are named in one clause. */
    private static final int MAX_NAMED = 3;

    private final Grant grant;
    private final Set<SpiffeId> sources;
    private final @Nullable List<Integer> ports;
    private final @Nullable List<HttpMatcher> routes;
    private final Verdict.Allow allow;

    GrantRule(Grant grant, Consumer<String> problems) {
        this.grant = grant;
        this.sources = Set.copyOf(grant.sources());
        this.ports = grant.ports().orElse(null);
        this.routes = grant.routes()
                .map(matches -> matches.stream()
                        .map(match ->
                                HttpMatcher.of(match, problem -> problems.accept(grant.target() + ": " + problem)))
                        .toList())
                .orElse(null);
        this.allow = new Verdict.Allow(grant.target());
    }

    String target() {
        return grant.target();
    }

    Set<SpiffeId> sources() {
        return sources;
    }

    Verdict.Allow allow() {
        return allow;
    }

    /**
     * The first condition that a call does not meet, in the order source, port, protocol, route; null when it meets all.
     *
     * @param portNumbers the numbers by which rules may name the call's port
     */
    @Nullable Reason failing(Caller caller, InboundCall call, List<Integer> portNumbers) {
        if (caller.identity().isEmpty()) {
            return Reason.NO_IDENTITY;
        }
        if (!sources.contains(caller.identity().get())) {
            return Reason.NO_GRANT;
        }
        return failingFor(call, portNumbers);
    }

    /** As {@link #failing}, for whoever is among the sources. */
    @Nullable Reason failingFor(InboundCall call, List<Integer> portNumbers) {
        return coversPort(portNumbers) ? failingAtItsPorts(call) : Reason.NO_PORT;
    }

    /** Whether it does not ask what is called at its ports. */
    boolean takesEverything() {
        return routes == null;
    }

    /** As {@link #failingFor}, at a port that it covers. */
    @Nullable Reason failingAtItsPorts(InboundCall call) {
        if (routes == null) {
            return null;
        }
        if (call.http().isEmpty()) {
            return Reason.NOT_HTTP;
        }
        for (int i = 0; i < routes.size(); i++) {
            if (routes.get(i).matches(call.http().get())) {
                return null;
            }
        }
        return Reason.NO_ROUTE;
    }

    boolean coversPort(List<Integer> portNumbers) {
        if (ports == null) {
            return true;
        }
        for (int i = 0; i < portNumbers.size(); i++) {
            if (ports.contains(portNumbers.get(i))) {
                return true;
            }
        }
        return false;
    }

    /** What it allows, as in {@code only GET /reviews on port 9080}. */
    String allowed() {
        if (ports == null && routes == null) {
            return "everything";
        }
        String what = routes == null
                ? "everything"
                : routes.isEmpty()
                        ? "no request (none of its HTTPRouteGroups exists)"
                        : named(routes.stream().map(HttpMatcher::words).toList(), " or ");
        String where = ports == null
                ? ""
                : ports.isEmpty()
                        ? " on no port (none of its TCPRoutes exists)"
                        : " on port "
                                + named(ports.stream().map(String::valueOf).toList(), " or ");
        return "only " + what + where;
    }

    /** Names some of a list and counts the rest. */
    private static String named(List<String> words, String separator) {
        String some = words.stream().limit(MAX_NAMED).collect(Collectors.joining(separator));
        int rest = words.size() - MAX_NAMED;
        return rest > 0 ? "%s and %d more".formatted(some, rest) : some;
    }

    /** Its answer to a call in one clause. */
    GrantOutcome outcome(Caller caller, InboundCall call, List<Integer> portNumbers) {
        Reason failed = failing(caller, call, portNumbers);
        String words = failed == null
                ? "lets it in"
                : switch (failed) {
                    case NO_IDENTITY -> "lets in only callers with an identity";
                    case NO_GRANT ->
                        "does not name " + caller.identity().map(SpiffeId::uri).orElse("the caller");
                    default -> "allows " + allowed();
                };
        return new GrantOutcome(grant.target(), Optional.ofNullable(failed), Words.printable(words));
    }
}
