package dev.tulle.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PortForwardTest {
    @TempDir
    private Path directory = Path.of("");

    @Test
    void leadsToTheControllerAndEndsWithTheCommand() throws Exception {
        // Given
        Path pid = directory.resolve("pid");
        try (FakeController controller = FakeController.content()) {
            int port = URI.create(controller.address()).getPort();
            // When
            ControllerApi api = ControllerApi.through(PortForward.open(List.of(
                    "sh",
                    "-c",
                    "echo $$ > %s; echo 'a line before'; echo 'Forwarding from 127.0.0.1:%d -> 15880'; exec sleep 300"
                            .formatted(pid, port))));
            int status = api.status("/readyz");
            ProcessHandle process = ProcessHandle.of(
                            Long.parseLong(Files.readString(pid).strip()))
                    .orElseThrow();
            api.close();
            // Then
            assertThat(status).isEqualTo(200);
            await().atMost(Duration.ofSeconds(10)).until(() -> !process.isAlive());
        }
    }

    @Test
    void saysWhatKubectlSaidWhenThereIsNoWay() {
        assertThatThrownBy(() -> PortForward.open(List.of(
                        "sh",
                        "-c",
                        "echo 'Error from server (NotFound): services \"tulle-controller\" not found' >&2; exit 1")))
                .isInstanceOf(ControllerApi.NoAnswer.class)
                .hasMessageContaining("services \"tulle-controller\" not found")
                .hasMessageContaining("install Tulle there");
    }

    @Test
    void tellsCauseAndCureApartWhateverKubectlSaid() {
        assertThatThrownBy(
                        () -> PortForward.open(
                                List.of(
                                        "sh",
                                        "-c",
                                        "echo 'error: unable to forward port because pod is not running. Current status=Pending' >&2; exit 1")))
                .isInstanceOfSatisfying(ControllerApi.NoAnswer.class, none -> {
                    assertThat(none.finding().cause()).contains("error: unable to forward", "Pending)");
                    assertThat(none.finding().cure())
                            .isEqualTo("no controller runs just now: kubectl -n tulle-system get pods");
                });
    }

    @Test
    void saysThatThereIsNoKubectl() {
        assertThatThrownBy(() ->
                        PortForward.open(List.of(directory.resolve("kubectl").toString())))
                .isInstanceOf(ControllerApi.NoAnswer.class)
                .hasMessageContaining("install it, or name the controller's address with --server");
    }

    @Test
    void meansTheClusterWhereThereIsOne() {
        assertThat(ServerOptions.isInCluster(Map.of(), "tulle")).isFalse();
        assertThat(ServerOptions.isInCluster(Map.of("KUBECONFIG", ""), "tulle")).isFalse();
        assertThat(ServerOptions.isInCluster(Map.of("KUBECONFIG", "/k"), "tulle"))
                .isTrue();
        assertThat(ServerOptions.isInCluster(Map.of(), "kubectl-tulle")).isTrue();
    }
}
