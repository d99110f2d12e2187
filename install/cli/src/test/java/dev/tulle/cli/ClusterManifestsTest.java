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
import java.time.Duration;
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
        Kubectl kubectl = kubectl("echo 'Unable to connect to the server' >&2; exit 1\n");

        assertThatThrownBy(() -> ClusterManifests.read(kubectl))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("Unable to connect to the server");
    }

    @Test
    void passesOverTheLogOfKubectlAndRepeatsNothing() throws IOException {
        Kubectl kubectl = kubectl("""
                for i in 1 2; do echo 'E1122 01:02:03.000000    1 memcache.go:265] "Unhandled Error" err="no API"' >&2; done
                echo 'The connection to the server was refused' >&2
                exit 1
                """);

        assertThatThrownBy(kubectl::listable)
                .hasMessage("'sh api-resources' failed: The connection to the server was refused");
    }

    @Test
    void whoMayNotListIsToldWhatWouldDo() throws IOException {
        Kubectl kubectl = kubectl("""
                for kind in a b c d e; do echo "Error from server (Forbidden): $kind is forbidden" >&2; done
                exit 1
                """);

        assertThatThrownBy(kubectl::listable)
                .hasMessageContaining("a is forbidden; Error from server (Forbidden): b is forbidden; ")
                .hasMessageContaining("and 2 more like it: ask for the right to list them")
                .hasMessageNotContaining("d is");
    }

    @Test
    void doesNotWaitForever() throws IOException {
        Kubectl kubectl = new Kubectl(kubectl("exec sleep 60\n").command(), Duration.ofMillis(300));

        assertThatThrownBy(kubectl::listable).hasMessageContaining("has not ended after");
    }

    private Kubectl kubectl(String script) throws IOException {
        return new Kubectl(
                List.of(
                        "sh",
                        Files.writeString(directory.resolve("kubectl"), script).toString()),
                Duration.ofSeconds(30));
    }
}
