package dev.tulle.controller.kubernetes;

import static java.util.Objects.requireNonNull;

import dev.tulle.controller.resources.MeshSettings;
import dev.tulle.controller.watch.ClusterReader;
import dev.tulle.smi.SmiKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A kind of object that is watched.
 *
 * @param group its API group; empty for the core
 * @param versions those that are understood, the best first; the first that is served is read
 * @param plural as in the address
 * @param kind as in documents
 * @param namespaced whether its objects are in namespaces
 * @param required whether a cluster without it is none; others are picked up when they appear
 * @param which of its objects
 */
record WatchedKind(
        String group,
        List<String> versions,
        String plural,
        String kind,
        boolean namespaced,
        boolean required,
        Which which) {
    WatchedKind {
        requireNonNull(group, "group");
        versions = List.copyOf(versions);
        requireNonNull(plural, "plural");
        requireNonNull(kind, "kind");
        requireNonNull(which, "which");
    }

    /** Which objects of a kind are watched. */
    sealed interface Which {
        /** All of them. */
        record All() implements Which {}

        /** One, by its name. */
        record Named(String namespace, String name) implements Which {}

        /** Those whose label does not have a value. */
        record Without(String label, String value) implements Which {}
    }

    private static final Which ALL = new Which.All();

    /** Every kind that resources are made of. */
    static List<WatchedKind> all() {
        List<WatchedKind> kinds = new ArrayList<>(List.of(
                core("namespaces", "Namespace", false, ALL),
                core("nodes", "Node", false, ALL),
                core("services", "Service", true, ALL),
                core("serviceaccounts", "ServiceAccount", true, ALL),
                core("pods", "Pod", true, ALL),
                core(
                        "configmaps",
                        "ConfigMap",
                        true,
                        new Which.Named(MeshSettings.CONFIG_MAP.namespace(), MeshSettings.CONFIG_MAP.name())),
                new WatchedKind(
                        "discovery.k8s.io",
                        List.of("v1"),
                        "endpointslices",
                        "EndpointSlice",
                        true,
                        true,
                        new Which.Without(ClusterReader.SLICE_MANAGER, ClusterReader.OF_SELECTORS)),
                new WatchedKind(
                        "networking.k8s.io",
                        List.of("v1", "v1beta1"),
                        "servicecidrs",
                        "ServiceCIDR",
                        false,
                        false,
                        ALL)));
        Stream.of(SmiKind.values())
                .map(kind -> new WatchedKind(
                        kind.group(), kind.versions().reversed(), kind.plural(), kind.kind(), true, false, ALL))
                .forEach(kinds::add);
        return kinds;
    }

    private static WatchedKind core(String plural, String kind, boolean namespaced, Which which) {
        return new WatchedKind("", List.of("v1"), plural, kind, namespaced, true, which);
    }

    /** Its definition's name, when it is a kind that somebody has to define. */
    Optional<String> definition() {
        return group.endsWith(".smi-spec.io") ? Optional.of(plural + "." + group) : Optional.empty();
    }

    /** Group and version as {@code apiVersion} spells them. */
    String apiVersion(String version) {
        return group.isEmpty() ? version : group + "/" + version;
    }
}
