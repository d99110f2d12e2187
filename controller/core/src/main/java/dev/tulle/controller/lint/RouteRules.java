package dev.tulle.controller.lint;

import dev.tulle.controller.lint.Finding.Level;
import dev.tulle.controller.model.Workload;
import dev.tulle.controller.resources.ObjectRef;
import dev.tulle.controller.resources.Resources;
import dev.tulle.proxy.match.HttpCall;
import dev.tulle.proxy.match.HttpMatcher;
import dev.tulle.proxy.model.HttpMatch;
import dev.tulle.proxy.model.HttpMatch.HeaderPattern;
import dev.tulle.proxy.model.HttpMatch.PathPattern;
import dev.tulle.proxy.routing.NormalizedPath;
import dev.tulle.proxy.routing.PathNormalizer;
import dev.tulle.smi.HTTPRouteGroup;
import dev.tulle.smi.TrafficTarget;
import dev.tulle.smi.TrafficTarget.Rule;
import dev.tulle.smi.TrafficTarget.RuleKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Regular expressions that match less or more than they look.
 *
 * <p>Nothing is claimed that the proxies' own matcher does not confirm on an example. Source: SMI HTTPRouteGroup v1alpha4; Open Service
 * Mesh matched whole paths.
 */
final class RouteRules {
    /** Ways to say every path that cannot be taken for anything else. */
    private static final Set<String> EVERY_PATH = Set.of(".*", ".+", "/.*", "/.+");

    /** Two paths that no expression means by chance. */
    private static final List<String> STRANGE = List.of("/qzx-9/7", "/Q_0");

    /** Headers that hold more than one word, as a rule. */
    private static final Set<String> LONG_HEADERS = Set.of(
            "user-agent",
            "cookie",
            "accept",
            "accept-language",
            "authorization",
            "x-forwarded-for",
            "via",
            "forwarded");

    private static final Pattern QUERY = Pattern.compile("[^\\\\(]\\?[A-Za-z_][-\\w]*=");
    private static final Pattern PLACEHOLDER = Pattern.compile("/:[A-Za-z_]\\w*|(?<!\\\\[pPx])\\{[A-Za-z_]\\w*\\}");
    private static final Pattern WORDY_DOT = Pattern.compile("[A-Za-z0-9]\\.[A-Za-z0-9]");
    private static final Pattern CLASS = Pattern.compile("\\[[^\\]]*\\]");
    private static final Pattern LITERAL = Pattern.compile("[^\\\\.+*?()|\\[\\]{}^$]+");
    private static final Set<String> REFUSED_METHODS = Set.of("TRACE", "CONNECT");

    private final World world;
    private final Findings findings;

    RouteRules(World world, Findings findings) {
        this.world = world;
        this.findings = findings;
    }

    /** How the paths of a group are matched. */
    private record PathMatch(boolean isFull, boolean isSaid) {}

    void check() {
        for (HTTPRouteGroup group : world.resources().routeGroups()) {
            ObjectRef ref = Resources.ref(group);
            PathMatch pathMatch = pathMatchOf(group);
            for (int i = 0; i < group.matches().size(); i++) {
                HTTPRouteGroup.Match match = group.matches().get(i);
                String entry = findings.asWritten(ref, "spec.matches[%d]".formatted(i), "matches[%d]".formatted(i));
                match.pathRegex().ifPresent(regex -> path(new Place(ref, entry + ".pathRegex"), regex, pathMatch));
                match.headers()
                        .forEach(header -> header(new Place(ref, entry + ".headers"), header.name(), header.regex()));
                if (!match.methods().isEmpty() && REFUSED_METHODS.containsAll(match.methods())) {
                    findings.warning(
                            "refused-method",
                            ref,
                            entry + ".methods",
                            "is %s, which the proxies refuse in any case".formatted(String.join(", ", match.methods())),
                            "the entry matches nothing",
                            "write other methods, or leave the entry out");
                }
            }
        }
    }

    private record Place(ObjectRef object, String field) {}

    /** What holds for the workloads whose targets name the group; where there are none, for its namespace. */
    private PathMatch pathMatchOf(HTTPRouteGroup group) {
        String namespace = group.metadata().namespace();
        List<Workload> judging = new ArrayList<>();
        for (TrafficTarget target : world.resources().targets()) {
            if (target.metadata().namespace().equals(namespace)
                    && target.rules().stream().anyMatch(rule -> names(rule, group))) {
                judging.addAll(world.meshedUnder(target.destination()));
            }
        }
        if (judging.isEmpty()) {
            Optional<String> said = world.pathMatchOf(namespace);
            return new PathMatch(said.filter("full"::equals).isPresent(), said.isPresent());
        }
        return new PathMatch(
                judging.stream().allMatch(workload -> workload.access().pathMatchFull()),
                judging.stream()
                        .noneMatch(workload -> workload.access().pathMatchFrom().equals("the default")));
    }

    private static boolean names(Rule rule, HTTPRouteGroup group) {
        return rule.kind() == RuleKind.HTTP_ROUTE_GROUP
                && rule.name().equals(group.metadata().name());
    }

    /** Whether an expression plainly means every path. */
    static boolean isEveryPath(String regex) {
        String bare = regex.startsWith("^") ? regex.substring(1) : regex;
        return EVERY_PATH.contains(bare.endsWith("$") ? bare.substring(0, bare.length() - 1) : bare);
    }

    private void path(Place place, String regex, PathMatch pathMatch) {
        Optional<HttpMatcher> usable = matcher(regex, pathMatch.isFull());
        if (usable.isEmpty() || isEveryPath(regex)) {
            return; // Assembling says what is wrong; or there is nothing to say.
        }
        HttpMatcher matcher = usable.get();
        Optional<RegexSample> sample = RegexSample.of(regex).filter(text -> describes(regex, text.text()));
        if (sample.isPresent() && neverMatches(place, regex, sample.get())) {
            return;
        }
        Matcher query = QUERY.matcher(regex);
        if (query.find()) {
            findings.warning(
                    "regex-query",
                    place.object(),
                    place.field(),
                    "'%s' looks for a query string, but paths are matched without it".formatted(regex),
                    "'?' makes the letter before it optional",
                    "leave out what begins with '?'; a query cannot be matched");
            return;
        }
        if (PLACEHOLDER.matcher(regex).find()) {
            findings.warning(
                    "regex-placeholder",
                    place.object(),
                    place.field(),
                    "'%s' has a placeholder, which a regular expression does not know".formatted(regex),
                    "it is matched letter by letter",
                    "write [^/]+ for one part of a path");
            return;
        }
        if (regex.endsWith("/*") || regex.contains("/*/")) {
            findings.warning(
                    "regex-wildcard",
                    place.object(),
                    place.field(),
                    "'*' in '%s' repeats the '/' before it, and is no wildcard".formatted(regex),
                    describeStart(regex, matcher),
                    "write .* for anything, or [^/]* for anything within one part of the path");
            return;
        }
        if (STRANGE.stream().allMatch(strange -> matches(matcher, strange))) {
            findings.warning(
                    "regex-everything",
                    place.object(),
                    place.field(),
                    "'%s' matches every path, such as '%s': paths are matched from their start, to no particular end"
                            .formatted(regex, STRANGE.getFirst()),
                    "it restricts nothing",
                    regex.endsWith("/")
                            ? "write '/$' for the root alone, or leave pathRegex out"
                            : "write what the path must begin with, or leave pathRegex out");
            return;
        }
        if (!pathMatch.isFull() && !pathMatch.isSaid()) {
            sample.ifPresent(text -> openEnd(place, regex, matcher, text.text()));
        }
        if (regex.startsWith("^")) {
            findings.add(
                    Level.INFO,
                    "regex-caret",
                    place.object(),
                    place.field(),
                    "'^' is not needed: paths are matched from their start in any case",
                    "it changes nothing",
                    "leave it out");
        }
    }

    private static String describeStart(String regex, HttpMatcher matcher) {
        String start = regex.substring(0, regex.indexOf("/*")).replace("^", "");
        String strange = start + "foo";
        return matches(matcher, strange)
                ? "it also matches '%s'".formatted(strange)
                : "it matches other paths than it looks";
    }

    private boolean neverMatches(Place place, String regex, RegexSample sample) {
        String text = sample.text();
        if (!sample.canBegin() && !sample.canBeEmpty() && !text.startsWith("*")) {
            findings.error(
                    "regex-never",
                    place.object(),
                    place.field(),
                    "'%s' matches no path, for every path begins with '/'".formatted(regex),
                    "no request meets it",
                    "begin it with '/'");
            return true;
        }
        if (!sample.isLiteral() || !text.startsWith("/")) {
            return false;
        }
        if (text.contains("?")) {
            findings.error(
                    "regex-never",
                    place.object(),
                    place.field(),
                    "'%s' looks for a query string, but paths are matched without it".formatted(regex),
                    "no request meets it",
                    "leave out what begins with '?'; a query cannot be matched");
            return true;
        }
        String arrives = switch (PathNormalizer.normalize(text)) {
            case NormalizedPath.Normal normal -> normal.path();
            case NormalizedPath.Refused refused -> "";
        };
        if (!arrives.equals(text)) {
            findings.error(
                    "regex-never",
                    place.object(),
                    place.field(),
                    arrives.isEmpty()
                            ? "'%s' asks for a path that the proxies refuse".formatted(regex)
                            : "'%s' asks for a spelling that no path has when it is judged".formatted(regex),
                    "no request meets it",
                    arrives.isEmpty() ? "leave it out" : "write it as it arrives, '%s'".formatted(arrives));
            return true;
        }
        return false;
    }

    /** What begins alike and goes on otherwise. */
    private void openEnd(Place place, String regex, HttpMatcher matcher, String text) {
        String bare = regex.startsWith("^") ? regex.substring(1) : regex;
        if (bare.startsWith(".*") && matches(matcher, "/x" + text + "/foo")) {
            findings.warning(
                    "regex-anywhere",
                    place.object(),
                    place.field(),
                    "'%s' begins with '.*' and has no end, so it also matches '%s'"
                            .formatted(regex, "/x" + text + "/foo"),
                    "what it names may stand anywhere in a path",
                    "begin with what the path begins with, and end with '$' what ends there");
            return;
        }
        String longer = text + "foo";
        if (text.endsWith("/") || !matches(matcher, longer) || describes(regex, longer)) {
            return;
        }
        String whole = regex.contains("|") ? "(" + regex + ")" : regex;
        findings.warning(
                "regex-open-end",
                place.object(),
                place.field(),
                "'%s' is matched from the start of the path only, so it also matches '%s'".formatted(regex, longer),
                "it covers more than it looks; Open Service Mesh matched whole paths",
                "write '%s$' for that path alone, or '%s(/.*)?$' for what is below it, too; or set %s to full, or to prefix if this is meant"
                        .formatted(whole, whole, World.PATH_MATCH));
    }

    private void header(Place place, String name, String regex) {
        HttpMatch.HeaderPattern pattern = new HeaderPattern(name, regex);
        if (!isUsable(new HttpMatch("", Optional.empty(), List.of(), List.of(pattern)))) {
            return;
        }
        boolean begins =
                regex.startsWith("^") && !regex.endsWith("$") && !regex.endsWith(".*") && !regex.endsWith(".+");
        boolean ends =
                regex.endsWith("$") && !regex.endsWith("\\$") && !regex.startsWith("^") && !regex.startsWith(".*");
        boolean isWord = LITERAL.matcher(regex).matches();
        if ((begins || ends)
                && LITERAL.matcher(regex.replaceAll("^\\^|\\$$", "")).matches()) {
            findings.warning(
                    "regex-whole-value",
                    place.object(),
                    place.field(),
                    "'%s' for header %s must match the whole value, not only its %s"
                            .formatted(regex, name, begins ? "beginning" : "end"),
                    "it matches that one value",
                    begins ? "write '%s.*'".formatted(regex) : "write '.*%s'".formatted(regex));
        } else if (isWord && LONG_HEADERS.contains(name)) {
            findings.warning(
                    "regex-whole-value",
                    place.object(),
                    place.field(),
                    "'%s' for header %s must match the whole value".formatted(regex, name),
                    "a value that only has it in it does not match",
                    "write '.*%s.*'".formatted(regex));
        }
        if (WORDY_DOT.matcher(CLASS.matcher(regex).replaceAll("[]")).find() && !regex.contains("\\Q")) {
            String example = WORDY_DOT
                    .matcher(regex)
                    .replaceFirst(
                            found -> Matcher.quoteReplacement(found.group().replace('.', 'x')));
            findings.warning(
                    "regex-dot",
                    place.object(),
                    place.field(),
                    "'.' in '%s' for header %s stands for any character, as in '%s'".formatted(regex, name, example),
                    "it matches more than it looks",
                    "write '\\.' for a dot");
        }
    }

    private static boolean isUsable(HttpMatch match) {
        List<String> problems = new ArrayList<>();
        HttpMatcher.of(match, problems::add);
        return problems.isEmpty();
    }

    private static Optional<HttpMatcher> matcher(String regex, boolean isFull) {
        HttpMatch match = new HttpMatch("", Optional.of(new PathPattern(regex, isFull)), List.of(), List.of());
        return isUsable(match) ? Optional.of(HttpMatcher.of(match, problem -> {})) : Optional.empty();
    }

    /** Whether an expression describes a whole text. */
    private static boolean describes(String regex, String text) {
        return matcher(regex, true).filter(matcher -> matches(matcher, text)).isPresent();
    }

    private static boolean matches(HttpMatcher matcher, String path) {
        return matcher.matches(new HttpCall() {
            @Override
            public String method() {
                return "GET";
            }

            @Override
            public String path() {
                return path;
            }

            @Override
            public List<String> values(String lowerCaseName) {
                return List.of();
            }
        });
    }
}
