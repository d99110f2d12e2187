package dev.tulle.controller.resources;

import static java.util.Objects.requireNonNull;

import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Settings of the whole mesh: the ConfigMap {@code tulle-settings} of namespace {@code tulle-system}.
 *
 * @param trustDomain of every identity; absent leaves it to the controller
 * @param rootGeneration a number larger than that of the root in use asks for a new root; 0 asks for nothing
 * @param networks CIDRs inside which nothing leaves in plain text by accident
 * @param access {@code access}, {@code unmeshed}, {@code same-identity} and {@code path-match} as they were written, where they
 *     were
 */
public record MeshSettings(
        Optional<String> trustDomain, long rootGeneration, List<String> networks, SortedMap<String, String> access) {
    /** What holds where nobody wrote settings. */
    public static final MeshSettings NONE = new MeshSettings(Optional.empty(), 0, List.of(), new TreeMap<>());

    /** Where the settings are. */
    public static final ObjectRef CONFIG_MAP = new ObjectRef("ConfigMap", "tulle-system", "tulle-settings");

    /** Key of the settings that names the mesh whose labels and annotations count where ours say nothing: {@code osm} or {@code none}. */
    public static final String COMPAT = "compat";

    /** Trust domain where neither settings nor the controller say one. */
    public static final String DEFAULT_TRUST_DOMAIN = "cluster.local";

    public MeshSettings {
        requireNonNull(trustDomain, "trustDomain");
        networks = List.copyOf(networks);
        access = Collections.unmodifiableSortedMap(new TreeMap<>(access));
    }
}
