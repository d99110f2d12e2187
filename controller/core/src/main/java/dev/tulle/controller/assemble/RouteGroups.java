package dev.tulle.controller.assemble;

import dev.tulle.controller.resources.ObjectRef;
import dev.tulle.controller.resources.Problems;
import dev.tulle.controller.resources.Resources;
import dev.tulle.proxy.match.HttpMatcher;
import dev.tulle.proxy.model.HttpMatch;
import dev.tulle.proxy.model.HttpMatch.HeaderPattern;
import dev.tulle.proxy.model.HttpMatch.PathPattern;
import dev.tulle.smi.HTTPRouteGroup;
import dev.tulle.smi.HTTPRouteGroup.Header;
import dev.tulle.smi.HTTPRouteGroup.Match;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The entries of every HTTPRouteGroup that can be used; one whose regex is no good is kept out, the others of its group stay. */
final class RouteGroups {
    private static final String CURE = "; write it in RE2 syntax, which has no look-around and no back-references";

    private final Problems problems;
    private final Map<String, Group> groups = new HashMap<>();

    private record Group(List<Match> usable, Set<String> names) {}

    RouteGroups(List<HTTPRouteGroup> routeGroups, Problems problems) {
        this.problems = problems;
        for (HTTPRouteGroup group : routeGroups) {
            groups.put(group.metadata().id(), check(group));
        }
    }

    private Group check(HTTPRouteGroup group) {
        ObjectRef ref = Resources.ref(group);
        List<Match> usable = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (int i = 0; i < group.matches().size(); i++) {
            Match match = group.matches().get(i);
            names.add(match.name());
            String path = problems.asWritten(ref, "spec.matches[%d]".formatted(i), "matches[%d]".formatted(i));
            boolean good = true;
            for (HttpMatch part : parts(match)) {
                String field = path + (part.path().isPresent() ? ".pathRegex" : ".headers");
                good &= isUsable(ref, field, part);
            }
            if (good) {
                usable.add(match);
            }
        }
        return new Group(usable, names);
    }

    /** The conditions of a match that hold a regex, one by one, so that each can be blamed. */
    private static List<HttpMatch> parts(Match match) {
        List<HttpMatch> parts = new ArrayList<>();
        match.pathRegex()
                .ifPresent(regex -> parts.add(
                        new HttpMatch(match.name(), Optional.of(new PathPattern(regex, false)), List.of(), List.of())));
        for (Header header : match.headers()) {
            parts.add(new HttpMatch(
                    match.name(),
                    Optional.empty(),
                    List.of(),
                    List.of(new HeaderPattern(header.name(), header.regex()))));
        }
        return parts;
    }

    private boolean isUsable(ObjectRef ref, String field, HttpMatch part) {
        List<String> bad = new ArrayList<>();
        HttpMatcher.of(part, bad::add);
        bad.forEach(message -> problems.error(
                ref,
                field,
                message + CURE,
                "match '%s' is left out, the others of its group hold".formatted(part.name())));
        return bad.isEmpty();
    }

    /** Whether there is a group of this id, {@code namespace/name}. */
    boolean has(String id) {
        return groups.containsKey(id);
    }

    /** Names of all entries of a group, in the order of the alphabet. */
    List<String> names(String id) {
        Group group = groups.get(id);
        return group == null ? List.of() : group.names().stream().sorted().toList();
    }

    /** Whether a group has an entry of this name, usable or not. */
    boolean has(String id, String match) {
        Group group = groups.get(id);
        return group != null && group.names().contains(match);
    }

    /**
     * Usable entries of a group.
     *
     * @param id {@code namespace/name}
     * @param names which of them; empty means all
     * @param full whether path patterns must match the whole path
     */
    List<HttpMatch> matches(String id, List<String> names, boolean full) {
        Group group = groups.get(id);
        if (group == null) {
            return List.of();
        }
        String groupName = id.substring(id.indexOf('/') + 1);
        return group.usable().stream()
                .filter(match -> names.isEmpty() || names.contains(match.name()))
                .map(match -> new HttpMatch(
                        groupName + "/" + match.name(),
                        match.pathRegex().map(regex -> new PathPattern(regex, full)),
                        match.methods(),
                        match.headers().stream()
                                .map(header -> new HeaderPattern(header.name(), header.regex()))
                                .toList()))
                .toList();
    }
}
