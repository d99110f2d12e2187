package dev.tulle.controller.assemble;

import dev.tulle.controller.resources.MeshSettings;
import dev.tulle.controller.resources.NamespaceResource;
import dev.tulle.controller.resources.NearestName;
import dev.tulle.controller.resources.ObjectRef;
import dev.tulle.controller.resources.Problems;
import dev.tulle.controller.resources.Resources;
import dev.tulle.controller.resources.WorkloadResource;
import dev.tulle.proxy.model.InboundPolicy.Access;
import dev.tulle.proxy.model.InboundPolicy.Unmeshed;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.function.Function;

/**
 * The access settings of mesh, namespaces and workloads; the narrowest that says something holds.
 *
 * <p>A word that is not known counts as the strictest one: whoever writes such a setting means to shut something.
 */
final class AccessSettings {
    static final String PREFIX = "tulle.dev/";
    private static final Set<String> KNOWN_ANNOTATIONS = Set.of(
            "tulle.dev/access",
            "tulle.dev/unmeshed",
            "tulle.dev/same-identity",
            "tulle.dev/path-match",
            "tulle.dev/inject");

    /** What the injector writes, and nobody else. */
    private static final String WRITTEN_BY_US = "tulle.dev/proxy-version";

    private final Problems problems;
    private final Level mesh;
    private final Map<String, Level> namespaces = new HashMap<>();

    /** A value and where it comes from, one phrase. */
    record Setting<T>(T value, String from) {}

    /** What holds somewhere. */
    record Settings(
            Setting<Access> access,
            Setting<Unmeshed> unmeshed,
            Setting<Boolean> sameIdentity,
            Setting<Boolean> fullPath) {}

    record Level(
            Optional<Setting<Access>> access,
            Optional<Setting<Unmeshed>> unmeshed,
            Optional<Setting<Boolean>> sameIdentity,
            Optional<Setting<Boolean>> fullPath) {
        static final Level SILENT = new Level(Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());
    }

    AccessSettings(Resources resources, Problems problems) {
        this.problems = problems;
        mesh = level(
                MeshSettings.CONFIG_MAP,
                resources.settings().access(),
                "data.",
                "",
                "key %s of ConfigMap " + MeshSettings.CONFIG_MAP.namespace() + "/" + MeshSettings.CONFIG_MAP.name());
        for (NamespaceResource namespace : resources.namespaces()) {
            namespaces.put(namespace.name(), annotations(namespace.ref(), namespace.annotations()));
        }
    }

    Settings of(WorkloadResource workload) {
        return settings(List.of(
                annotations(workload.ref(), workload.annotations()),
                namespaces.getOrDefault(workload.id().namespace(), Level.SILENT),
                mesh));
    }

    Settings ofNamespace(String namespace) {
        return settings(List.of(namespaces.getOrDefault(namespace, Level.SILENT), mesh));
    }

    private static Settings settings(List<Level> narrowestFirst) {
        return new Settings(
                first(narrowestFirst, Level::access, Access.OPEN),
                first(narrowestFirst, Level::unmeshed, Unmeshed.ALLOW),
                first(narrowestFirst, Level::sameIdentity, false),
                first(narrowestFirst, Level::fullPath, false));
    }

    private static <T> Setting<T> first(
            List<Level> levels, Function<Level, Optional<Setting<T>>> setting, T otherwise) {
        return levels.stream()
                .flatMap(level -> setting.apply(level).stream())
                .findFirst()
                .orElseGet(() -> new Setting<>(otherwise, "the default"));
    }

    Level annotations(ObjectRef object, SortedMap<String, String> annotations) {
        for (String key : annotations.keySet()) {
            if (key.startsWith(PREFIX) && !KNOWN_ANNOTATIONS.contains(key) && !key.equals(WRITTEN_BY_US)) {
                problems.warning(
                        object,
                        "metadata.annotations." + key,
                        "no such annotation; %sthere are %s"
                                .formatted(
                                        NearestName.question(key, KNOWN_ANNOTATIONS),
                                        String.join(
                                                ", ",
                                                KNOWN_ANNOTATIONS.stream()
                                                        .sorted()
                                                        .toList())),
                        "it says nothing");
            }
        }
        return level(object, annotations, "metadata.annotations.", PREFIX, "annotation %s of " + object);
    }

    private Level level(ObjectRef object, Map<String, String> values, String path, String prefix, String from) {
        Words words = new Words(object, values, path, prefix, from);
        return new Level(
                words.read(
                        "access",
                        Map.of("open", Access.OPEN, "closed", Access.CLOSED, "audit", Access.AUDIT),
                        Access.CLOSED),
                words.read(
                        "unmeshed",
                        Map.of("allow", Unmeshed.ALLOW, "deny", Unmeshed.DENY, "always", Unmeshed.ALWAYS),
                        Unmeshed.DENY),
                words.read("same-identity", Map.of("allow", true, "deny", false), false),
                words.read("path-match", Map.of("full", true, "prefix", false), true));
    }

    private final class Words {
        private final ObjectRef object;
        private final Map<String, String> values;
        private final String path;
        private final String prefix;
        private final String from;

        Words(ObjectRef object, Map<String, String> values, String path, String prefix, String from) {
            this.object = object;
            this.values = values;
            this.path = path;
            this.prefix = prefix;
            this.from = from;
        }

        <T> Optional<Setting<T>> read(String key, Map<String, T> words, T strictest) {
            String name = prefix + key;
            String written = values.get(name);
            if (written == null) {
                return Optional.empty();
            }
            T known = words.get(written);
            if (known == null) {
                problems.error(
                        object,
                        path + name,
                        "'%s' is not one of %s"
                                .formatted(
                                        written,
                                        String.join(
                                                ", ",
                                                words.keySet().stream().sorted().toList())),
                        "it counts as the strictest of them");
            }
            return Optional.of(new Setting<>(known == null ? strictest : known, from.formatted(name)));
        }
    }
}
