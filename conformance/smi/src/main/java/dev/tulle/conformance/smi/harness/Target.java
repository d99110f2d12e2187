package dev.tulle.conformance.smi.harness;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * Which cluster and which mesh a run is about.
 *
 * @param kubeconfig absent: what kubectl would take
 * @param context of the kubeconfig; absent: its current one
 * @param labels of every namespace whose pods are to be in the mesh
 * @param annotations the same
 * @param image of the application; see {@code app/} and {@code build-image}
 */
public record Target(
        Optional<Path> kubeconfig,
        Optional<String> context,
        Map<String, String> labels,
        Map<String, String> annotations,
        String image) {
    public Target {
        labels = Map.copyOf(labels);
        annotations = Map.copyOf(annotations);
    }
}
