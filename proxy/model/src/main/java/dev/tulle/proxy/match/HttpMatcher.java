package dev.tulle.proxy.match;

import dev.tulle.proxy.model.HttpMatch;
import dev.tulle.proxy.model.HttpMatch.HeaderPattern;
import dev.tulle.proxy.model.HttpMatch.PathPattern;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * One {@link HttpMatch}, compiled.
 *
 * <p>Whether a request meets it and why not come from the same conditions. Immutable; safe for all threads.
 */
public final class HttpMatcher {
    /**
     * One condition of a match.
     *
     * @param words how to say it
     * @param usable whether any request at all can meet it
     */
    private record Condition(String words, boolean usable, Predicate<HttpCall> holds) {
        static Condition that(String words, Predicate<HttpCall> holds) {
            return new Condition(words, true, holds);
        }

        static Condition never(String why) {
            return new Condition("nothing (%s)".formatted(why), false, call -> false);
        }
    }

    private final String name;
    private final List<Condition> conditions;

    private HttpMatcher(String name, List<Condition> conditions) {
        this.name = name;
        this.conditions = List.copyOf(conditions);
    }

    /**
     * Compiles a match.
     *
     * @param problems told in one sentence of each regex that cannot be used, and therefore matches nothing
     */
    public static HttpMatcher of(HttpMatch match, Consumer<String> problems) {
        List<Condition> conditions = new ArrayList<>();
        if (!match.methods().isEmpty()) {
            List<String> methods = match.methods();
            conditions.add(Condition.that(String.join("|", methods), call -> methods.contains(call.method())));
        }
        match.path().ifPresent(path -> conditions.add(pathCondition(match, path, problems)));
        for (HeaderPattern header : match.headers()) {
            conditions.add(headerCondition(match, header, problems));
        }
        return new HttpMatcher(match.name(), conditions);
    }

    /** Name of the match, {@code group/entry}. */
    public String name() {
        return name;
    }

    /** Whether a request meets every condition. */
    public boolean matches(HttpCall call) {
        // An index, since this runs for every request: no iterator.
        for (int i = 0; i < conditions.size(); i++) {
            if (!conditions.get(i).holds().test(call)) {
                return false;
            }
        }
        return true;
    }

    /** The first condition that a request does not meet, in the words of {@link #words}; absent when it meets all. */
    public Optional<String> misses(HttpCall call) {
        return conditions.stream()
                .filter(condition -> !condition.holds().test(call))
                .map(Condition::words)
                .findFirst();
    }

    /** The match for people, as in {@code GET /reviews with user-agent .*iPhone.*}. */
    public String words() {
        for (Condition condition : conditions) {
            if (!condition.usable()) {
                return condition.words();
            }
        }
        return conditions.isEmpty()
                ? "every request"
                : String.join(" ", conditions.stream().map(Condition::words).toList());
    }

    private static Condition pathCondition(HttpMatch match, PathPattern path, Consumer<String> problems) {
        Regex.Anchoring anchoring = path.full() ? Regex.Anchoring.BOTH : Regex.Anchoring.START;
        try {
            Regex regex = Regex.compile(path.regex(), anchoring);
            return Condition.that(path.regex(), call -> regex.matches(call.path()));
        } catch (Regex.Unusable e) {
            problems.accept("pathRegex '%s' of match %s %s: it matches nothing until it is corrected"
                    .formatted(shortened(path.regex()), match.name(), e.getMessage()));
            return Condition.never("its pathRegex " + e.getMessage());
        }
    }

    private static Condition headerCondition(HttpMatch match, HeaderPattern header, Consumer<String> problems) {
        String name = header.name();
        try {
            Regex regex = Regex.compile(header.regex(), Regex.Anchoring.BOTH);
            return Condition.that(
                    "with %s %s".formatted(name, header.regex()), call -> everyValueMatches(call.values(name), regex));
        } catch (Regex.Unusable e) {
            problems.accept("the regex '%s' for header %s of match %s %s: it matches nothing until it is corrected"
                    .formatted(shortened(header.regex()), name, match.name(), e.getMessage()));
            return Condition.never("its regex for header %s %s".formatted(name, e.getMessage()));
        }
    }

    private static boolean everyValueMatches(List<String> values, Regex regex) {
        for (String value : values) {
            if (!regex.matches(value)) {
                return false;
            }
        }
        return !values.isEmpty();
    }

    private static String shortened(String regex) {
        return regex.length() <= 100 ? regex : regex.substring(0, 100) + "…";
    }
}
