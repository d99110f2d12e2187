package dev.tulle.controller.lint;

import dev.tulle.controller.inject.Injector;
import dev.tulle.controller.inject.NamespaceView;
import dev.tulle.controller.inject.PodTemplates;
import dev.tulle.smi.SmiReader;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Namespaces whose objects ask for a mesh that their pods are not in. */
final class NamespaceRules {
    private static final String MONITORED = "openservicemesh.io/monitored-by";

    private NamespaceRules() {}

    static void check(Manifests manifests, Map<String, NamespaceView> namespaces, Findings findings) {
        Set<String> withPolicy = new HashSet<>();
        Set<String> asking = new HashSet<>();
        for (Manifest manifest : manifests.objects()) {
            String namespace = manifest.ref().namespace();
            if (SmiReader.isSmi(
                    manifest.content().path("apiVersion").asText(),
                    manifest.ref().kind())) {
                withPolicy.add(namespace);
            }
            PodTemplates.of(manifest.content())
                    .filter(template -> List.of("enabled")
                            .contains(template.at("/metadata/labels")
                                    .path(Injector.INJECT)
                                    .asText()))
                    .ifPresent(template -> asking.add(namespace));
        }
        for (Manifest manifest : manifests.objects()) {
            NamespaceView view = namespaces.get(manifest.ref().name());
            if (manifest.ref().kind().equals("Namespace")
                    && view != null
                    && withPolicy.contains(view.name())
                    && !asking.contains(view.name())
                    && !view.labels().containsKey(Injector.INJECT)
                    && !view.labels().containsKey(MONITORED)) {
                findings.warning(
                        "namespace-not-meshed",
                        manifest.ref(),
                        "metadata.labels",
                        "has no label %s, though there are SMI objects in it".formatted(Injector.INJECT),
                        "its pods get no proxy, and nobody enforces them",
                        "write the label %s: enabled".formatted(Injector.INJECT));
            }
        }
    }
}
