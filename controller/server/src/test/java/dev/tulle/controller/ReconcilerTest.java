package dev.tulle.controller;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tulle.controller.api.Controller.OwnProblem;
import dev.tulle.controller.discovery.ProxyRegistry;
import dev.tulle.controller.discovery.Publisher;
import dev.tulle.controller.discovery.Readiness;
import dev.tulle.controller.discovery.RotationProgress;
import dev.tulle.controller.identity.Authorities;
import dev.tulle.controller.identity.Authorities.HandClock;
import dev.tulle.controller.identity.CertificateAuthority;
import dev.tulle.controller.model.Workload;
import dev.tulle.controller.resources.Problem;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ReconcilerTest {
    private final HandClock clock = HandClock.atNow();
    private final ProxyRegistry registry = new ProxyRegistry();
    private final Publisher publisher = new Publisher(registry);

    @TempDir
    Path directory;

    private CertificateAuthority authority;
    private Reconciler reconciler;

    @BeforeEach
    void start() throws Exception {
        authority = Authorities.open(directory.resolve("state"), clock);
        reconciler = new Reconciler(authority, registry, publisher, Reconciler.ReadyBy.PROXIES, List::of, clock);
        reconciler.start();
    }

    @AfterEach
    void stop() {
        reconciler.close();
    }

    @Test
    void publishesTheFirstObjectsAtOnce() {
        reconciler.resources(Shop.resources(directory.resolve("mesh")));
        assertThat(publisher.current()).isPresent();
        assertThat(reconciler.progress().generation()).isEqualTo(1);
        assertThat(authority.state().rotation().generation()).isEqualTo(1);
    }

    @Test
    void buildsOnceForWhatDoesNotChange() {
        reconciler.resources(Shop.resources(directory.resolve("mesh")));
        reconciler.resources(Shop.resources(directory.resolve("again")));
        reconciler.ask();
        await().pollDelay(Duration.ofMillis(300)).until(() -> true);
        assertThat(reconciler.progress().generation()).isEqualTo(1);
    }

    @Test
    void workloadsThatNeverCameArePassedOverAfterAWhile() {
        reconciler.resources(Shop.resources(directory.resolve("mesh")));
        assertThat(workloads()).allMatch(Workload::ready);
        clock.pass(Readiness.START_GRACE);
        await().atMost(Duration.ofSeconds(20)).until(() -> workloads().noneMatch(Workload::ready));
    }

    @Test
    void keepsTheTrustDomainOfItsCertificates() {
        String other = """
                ---
                apiVersion: v1
                kind: ConfigMap
                metadata: {name: tulle-settings, namespace: tulle-system}
                data: {trust-domain: other.example}
                """;
        reconciler.resources(Shop.resources(directory.resolve("mesh"), Shop.yaml() + other));
        assertThat(workloads())
                .allMatch(workload -> workload.identity().trustDomain().equals("cluster.local"));
        assertThat(reconciler.progress().ownProblems())
                .extracting(OwnProblem::message)
                .anySatisfy(message -> assertThat(message).contains("other.example", "--state-dir"));
    }

    @Test
    void goesOnWhenItsStateCannotBeWritten() throws Exception {
        // Given a state directory where the next write fails
        reconciler.resources(Shop.resources(directory.resolve("mesh")));
        Path aside = directory.resolve("state/authority.new");
        Files.createDirectories(aside.resolve("full"));
        String rotate = """
                ---
                apiVersion: v1
                kind: ConfigMap
                metadata: {name: tulle-settings, namespace: tulle-system}
                data: {root-generation: "2"}
                """;
        // When a rotation is asked for
        reconciler.resources(Shop.resources(directory.resolve("mesh2"), Shop.yaml() + rotate));
        // Then it says so, and the mesh is served as before
        await().atMost(Duration.ofSeconds(20))
                .until(() -> !reconciler.progress().ownProblems().isEmpty());
        assertThat(reconciler.progress().ownProblems().getFirst().message()).contains("cannot write");
        assertThat(authority.state().rotation().phase()).isEqualTo("settled");
        assertThat(publisher.current()).isPresent();
        // When there is room again
        Files.delete(aside.resolve("full"));
        clock.pass(RotationProgress.ABSENCE);
        // Then the rotation goes through; proxies that were never heard of are waited for no longer than they could be
        // away
        await().atMost(Duration.ofSeconds(20))
                .until(() -> authority.state().rotation().phase().equals("signing"));
        clock.pass(authority.leafLife());
        await().atMost(Duration.ofSeconds(20))
                .until(() -> authority.state().rotation().phase().equals("settled"));
        assertThat(authority.state().rotation().generation()).isEqualTo(2);
        await().atMost(Duration.ofSeconds(20))
                .until(() -> reconciler.progress().ownProblems().isEmpty());
    }

    @Test
    void aBrokenObjectLeavesTheOthersAlone() {
        reconciler.resources(
                Shop.resources(directory.resolve("mesh"), Shop.yaml().replace("weight: 90", "weight: -90")));
        assertThat(workloads()).hasSize(5);
        assertThat(reconciler.progress().assembled().orElseThrow().problems())
                .extracting(Problem::field)
                .anySatisfy(field -> assertThat(field).contains("weight"));
    }

    private Stream<Workload> workloads() {
        return reconciler.progress().assembled().orElseThrow().mesh().workloads().values().stream();
    }
}
