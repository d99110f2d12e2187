package dev.tulle.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tulle.conformance.mesh.Program;
import dev.tulle.conformance.mesh.RawConnection;
import dev.tulle.conformance.mesh.RecordingOrigin;
import dev.tulle.conformance.mesh.SidecarPair.Sidecar;
import dev.tulle.conformance.mesh.StandaloneMesh;
import dev.tulle.conformance.mesh.SteadyLoad;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A controller that is killed, comes back, or finds its state full or damaged, under a steady load that must not notice. */
@Timeout(120)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ControllerLossTest {
    private static final Duration BOUND = Duration.ofSeconds(30);

    @TempDir
    private static Path folder;

    private static RecordingOrigin origin;
    private static StandaloneMesh mesh;
    private static SteadyLoad load;
    private static int thiefPort;
    private static int listen;

    @BeforeAll
    static void start() {
        StandaloneMesh.requireBuilt();
        origin = new RecordingOrigin();
        listen = Program.freePort();
        int local = Program.freePort();
        thiefPort = Program.freePort();
        mesh = StandaloneMesh.start(
                folder,
                StandaloneMesh.server("catalog", listen, origin.port())
                        + StandaloneMesh.caller("web", "catalog", local)
                        + StandaloneMesh.caller("thief", "catalog", thiefPort)
                        + StandaloneMesh.grant("catalog", "web"));
        mesh.join("shop/catalog-1");
        mesh.join("shop/web-1");
        mesh.join("shop/thief-1");
        load = new SteadyLoad(local);
        await().atMost(BOUND).until(() -> load.good() > 10);
    }

    @AfterAll
    static void stop() {
        if (load != null) {
            load.close();
        }
        if (mesh != null) {
            mesh.close();
        }
        if (origin != null) {
            origin.close();
        }
    }

    @Test
    @Order(1)
    void aKilledControllerIsMissedByNobody() throws IOException {
        // When
        mesh.controller().kill();
        long before = load.good();
        // Then
        await().atMost(BOUND).until(() -> load.good() > before + 100);
        assertThat(load.bad()).isEmpty();
        assertThat(asThief()).isEqualTo(403);
    }

    @Test
    @Order(2)
    void aStateDirectoryThatIsDamagedStopsTheControllerWithOneClearLine(@TempDir Path work) throws IOException {
        // Given
        Path damaged = Files.createDirectory(work.resolve("state"));
        byte[] bytes = Files.readAllBytes(mesh.state().resolve("authority"));
        bytes[bytes.length / 2] ^= 1;
        Files.write(damaged.resolve("authority"), bytes);
        // When
        Program controller = mesh.runController(work, damaged, List.of());
        // Then
        assertThat(controller.awaitEnd(BOUND)).isEqualTo(1);
        assertThat(lines(controller))
                .singleElement()
                .asString()
                .contains(damaged.resolve("authority") + " is damaged")
                .contains("Restore it from a backup");
        assertThat(load.bad()).isEmpty();
    }

    @Test
    @Order(3)
    void aStateDirectoryThatIsCutShortStopsTheControllerWithOneClearLine(@TempDir Path work) throws IOException {
        // Given
        Path damaged = Files.createDirectory(work.resolve("state"));
        byte[] bytes = Files.readAllBytes(mesh.state().resolve("authority"));
        Files.write(damaged.resolve("authority"), Arrays.copyOf(bytes, bytes.length / 3));
        // When
        Program controller = mesh.runController(work, damaged, List.of());
        // Then
        assertThat(controller.awaitEnd(BOUND)).isEqualTo(1);
        assertThat(lines(controller)).singleElement().asString().contains("authority is damaged");
    }

    @Test
    @Order(4)
    void aFullStateDirectoryStopsANewControllerWithOneClearLine(@TempDir Path work) {
        // Given a limit on the size of files: what a full disk is to a writer
        List<String> command = List.of("bash", "-c", "ulimit -f 0; exec \"$@\"", "limited");
        List<String> whole = new ArrayList<>(command);
        whole.addAll(StandaloneMesh.controllerCommand(
                "--dir",
                folder.resolve("mesh").toString(),
                "--state-dir",
                work.resolve("state").toString(),
                "--listen",
                "127.0.0.1:" + mesh.listenPort(),
                "--http",
                "127.0.0.1:" + mesh.httpPort()));
        // When
        try (Program controller = Program.start(work, "full", whole)) {
            // Then
            assertThat(controller.awaitEnd(BOUND)).isEqualTo(1);
            assertThat(lines(controller))
                    .singleElement()
                    .asString()
                    .startsWith("tulle controller: cannot write " + work.resolve("state"))
                    .contains("Make room");
        }
        assertThat(load.bad()).isEmpty();
    }

    @Test
    @Order(5)
    void anotherTrustDomainThanTheStateHasIsRefused(@TempDir Path work) {
        Program controller = mesh.runController(work, mesh.state(), List.of("--trust-domain", "elsewhere.example"));
        assertThat(controller.awaitEnd(BOUND)).isEqualTo(1);
        assertThat(lines(controller))
                .singleElement()
                .asString()
                .contains("cluster.local")
                .contains("elsewhere.example");
    }

    @Test
    @Order(6)
    void aControllerThatComesBackHasTheSameAnchorsAndSteersAgain() throws Exception {
        // Given
        long before = load.good();
        // When
        mesh.restartController();
        // Then
        mesh.awaitApi("/api/v1/proxies", "three proxies connected again", answer -> connected(answer) == 3);
        mesh.write("grant.yaml", StandaloneMesh.grant("catalog", "thief").replace("name: everything", "name: thieves"));
        await().atMost(BOUND).until(() -> asThief() == 200);
        mesh.remove("grant.yaml");
        await().atMost(BOUND).until(() -> asThief() == 403);
        await().atMost(BOUND).until(() -> load.good() > before + 100);
        assertThat(load.bad()).isEmpty();
    }

    @Test
    @Order(7)
    void aSecondControllerOnTheSameStateOrPortsSaysWhoIsThere(@TempDir Path work) {
        Program controller = mesh.runController(work, mesh.state(), List.of());
        assertThat(controller.awaitEnd(BOUND)).isEqualTo(1);
        assertThat(lines(controller))
                .singleElement()
                .asString()
                .contains(String.valueOf(mesh.controller().pid()));
    }

    @Test
    @Order(8)
    void theAnchorsAreTheSameAfterEveryRestart() {
        // Given
        JsonNode before = mesh.api("/api/v1/ca").path("anchors");
        // When
        mesh.controller().kill();
        mesh.restartController();
        // Then
        assertThat(before).hasSize(1);
        assertThat(mesh.api("/api/v1/ca").path("anchors")).isEqualTo(before);
        assertThat(load.bad()).isEmpty();
    }

    @Test
    @Order(9)
    void aProxyThatStartsWhileTheControllerIsAwayJoinsWhenItIsBack() {
        // Given
        String token = mesh.token("shop/web-1");
        mesh.controller().kill();
        Sidecar late = mesh.startSidecar("shop/late", token);
        late.program()
                .awaitThat("trying", BOUND, () -> late.program().log().contains("127.0.0.1:" + mesh.listenPort()));
        assertThat(late.program().isAlive()).isTrue();
        late.program().close();
        // When
        mesh.restartController();
        // Then
        mesh.awaitApi("/api/v1/proxies", "three proxies connected again", answer -> connected(answer) == 3);
        assertThat(load.bad()).isEmpty();
    }

    private static long connected(JsonNode answer) {
        long count = 0;
        for (JsonNode proxy : answer.path("proxies")) {
            count += proxy.path("connected").asBoolean() ? 1 : 0;
        }
        return count;
    }

    private static int asThief() throws IOException {
        try (RawConnection connection = RawConnection.to(thiefPort)) {
            connection.send("GET /stolen HTTP/1.1\r\nhost: catalog\r\nconnection: close\r\n\r\n");
            return connection.readToEnd(BOUND).status();
        }
    }

    private static List<String> lines(Program program) {
        return program.log().lines().filter(line -> !line.isBlank()).toList();
    }
}
