package dev.tulle.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tulle.controller.inject.InjectSettings;
import dev.tulle.controller.lint.Finding;
import dev.tulle.controller.lint.Finding.Level;
import dev.tulle.controller.lint.Lint;
import dev.tulle.controller.lint.Manifests;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The cluster is a script that answers as kubectl does. */
class ClusterManifestsTest {
    private static final String ANSWERS = """
            case "$*" in
              api-resources*) echo services; echo trafficsplits.split.smi-spec.io; echo "error: metrics: no answer" >&2; exit 1 ;;
              *trafficsplits*) cat <<END
            {"apiVersion": "v1", "kind": "List", "items": [
              {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"tulle.dev/inject": "enabled"}}},
              {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "reviews", "namespace": "shop"},
               "spec": {"clusterIP": "10.0.0.1", "selector": {"app": "reviews"}, "ports": [{"port": 80}]}},
              {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "odd", "namespace": "kube-system", "annotations": {"tulle.dev/timeout": "soon"}},
               "spec": {"clusterIP": "10.0.0.2", "ports": [{"port": 80}]}},
              {"apiVersion": "split.smi-spec.io/v1alpha4", "kind": "TrafficSplit", "metadata": {"name": "reviews", "namespace": "shop"},
               "spec": {"service": "reviews", "backends": [{"service": "reviews-v2", "weight": 1}]}}
            ]}
            END
              ;;
              *configmap*) ;;
              *) echo "not asked for: $*" >&2; exit 1 ;;
            esac
            """;

    @TempDir
    private Path directory = Path.of("");

    @Test
    void whatIsMissingFromAClusterIsNotThere() throws IOException {
        Manifests manifests = ClusterManifests.read(kubectl(ANSWERS));

        List<Finding> findings = new Lint(InjectSettings.of("tulle-proxy:1", "1")).of(manifests);
        assertThat(findings)
                .filteredOn(finding -> finding.level() != Level.INFO)
                .extracting(Finding::sentence)
                .contains("TrafficSplit shop/reviews, spec.backends[0].service: there is no Service shop/reviews-v2: "
                        + "make it, or correct the name")
                .noneMatch(sentence -> sentence.contains("kube-system"));
    }

    @Test
    void saysWhatKubectlSaid() throws IOException {
        List<String> kubectl = kubectl("echo 'Unable to connect to the server' >&2; exit 1\n");

        assertThatThrownBy(() -> ClusterManifests.read(kubectl))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("Unable to connect to the server");
    }

    private List<String> kubectl(String script) throws IOException {
        return List.of(
                "sh", Files.writeString(directory.resolve("kubectl"), script).toString());
    }
}
