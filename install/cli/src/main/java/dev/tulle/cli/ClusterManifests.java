package dev.tulle.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tulle.controller.lint.Manifest;
import dev.tulle.controller.lint.Manifests;
import dev.tulle.controller.lint.Manifests.Extent;
import dev.tulle.controller.resources.MeshSettings;
import dev.tulle.controller.watch.ClusterReader;
import dev.tulle.smi.SmiKind;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Reads what a cluster has, as the controller would. */
final class ClusterManifests {
    private static final List<String> KINDS =
            List.of("namespaces", "services", "serviceaccounts", "pods", "endpointslices.discovery.k8s.io");

    /** Pods are judged by what they are, and what made them by itself. */
    private static final List<String> MAKERS =
            List.of("deployments.apps", "statefulsets.apps", "daemonsets.apps", "cronjobs.batch");

    private ClusterManifests() {}

    /** @throws IOException when the cluster cannot be asked; the message is a sentence */
    static Manifests read(Kubectl kubectl) throws IOException {
        ClusterReader reader = new ClusterReader();
        List<Manifest> objects = new ArrayList<>();
        List<String> kinds = new ArrayList<>(KINDS);
        kinds.addAll(MAKERS);
        Set<String> served = Set.copyOf(kubectl.listable());
        Arrays.stream(SmiKind.values())
                .map(SmiKind::definitionName)
                .filter(served::contains)
                .forEach(kinds::add);
        for (JsonNode object : items(kubectl.run("get", String.join(",", kinds), "-A", "-o", "json"))) {
            take(reader, objects, object);
        }
        Optional<JsonNode> settings = settings(kubectl);
        if (settings.isPresent()) {
            take(reader, objects, settings.get());
        }
        return new Manifests(reader.resources(List.of()), objects, Extent.CLUSTER);
    }

    /** The settings of the mesh, where somebody wrote some. */
    static Optional<JsonNode> settings(Kubectl kubectl) throws IOException {
        String json = kubectl.run(
                "get",
                "configmap",
                MeshSettings.CONFIG_MAP.name(),
                "-n",
                MeshSettings.CONFIG_MAP.namespace(),
                "--ignore-not-found",
                "-o",
                "json");
        return json.isBlank() ? Optional.empty() : Optional.of(new ObjectMapper().readTree(json));
    }

    private static Iterable<JsonNode> items(String json) throws IOException {
        return new ObjectMapper().readTree(json).path("items");
    }

    private static void take(ClusterReader reader, List<Manifest> objects, JsonNode object) {
        if (!(object instanceof ObjectNode written)) {
            return;
        }
        boolean isMade = written.at("/metadata/ownerReferences").size() > 0;
        if (ClusterReader.EXEMPT.contains(written.at("/metadata/namespace").asText())
                && !written.path("kind").asText().equals("ConfigMap")) {
            return;
        }
        if (ClusterReader.OF_SELECTORS.equals(
                written.at("/metadata/labels").path(ClusterReader.SLICE_MANAGER).asText())) {
            return;
        }
        reader.put(written);
        // A pod that something made is written as its maker writes it: what is to be said is said there.
        if (!(isMade && written.path("kind").asText().equals("Pod"))) {
            objects.add(new Manifest(ClusterReader.ref(written), written, Optional.empty(), Optional.empty()));
        }
    }
}
