package dev.tulle.controller.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.tulle.controller.kubernetes.Leadership.Seen;
import dev.tulle.controller.kubernetes.Leadership.Timing;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.http.BasicBuilder;
import io.fabric8.kubernetes.client.http.HttpRequest;
import io.fabric8.kubernetes.client.http.Interceptor;
import io.fabric8.kubernetes.client.server.mock.EnableKubernetesMockClient;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@EnableKubernetesMockClient(crud = true)
@Timeout(60)
class LeadershipTest {
    private static final Timing FAST =
            new Timing(Duration.ofMillis(1500), Duration.ofSeconds(1), Duration.ofMillis(100), Duration.ofSeconds(6));
    private static final Duration SOON = Duration.ofSeconds(20);

    @SuppressWarnings("NullAway.Init") // The extension sets it.
    KubernetesClient client;

    private final AtomicInteger lost = new AtomicInteger();
    private final List<Leadership> candidates = new ArrayList<>();
    private final List<KubernetesClient> clients = new ArrayList<>();

    @AfterEach
    void close() {
        candidates.forEach(Leadership::close);
        clients.forEach(KubernetesClient::close);
    }

    @Test
    void theFirstLeadsAndTheSecondWaits() throws InterruptedException {
        // Given
        Leadership first = candidate("first");
        first.stand();
        assertThat(first.await()).isTrue();
        // When
        Leadership second = candidate("second");
        second.stand();
        // Then: many times the time it takes, and longer than a Lease holds that is not renewed.
        Thread.sleep(FAST.lease().plusSeconds(1));
        assertThat(second.mayWrite()).isFalse();
        assertThat(first.mayWrite()).isTrue();
        assertThat(holder()).isEqualTo("first");
    }

    @Test
    void aLeaderThatEndsGivesTheLeaseToTheNext() throws InterruptedException {
        // Given
        Leadership first = candidate("first");
        first.stand();
        first.await();
        Leadership second = candidate("second");
        second.stand();
        // When
        first.close();
        // Then
        assertThat(second.await()).isTrue();
        assertThat(holder()).isEqualTo("second");
        assertThat(lost).hasValue(0);
    }

    @Test
    void aLeaseThatNobodyRenewsIsTakenOverWhateverItsTimesSay() throws InterruptedException {
        // Given: its clock is a year ahead, and it is gone.
        client.leases()
                .inNamespace("tulle-system")
                .resource(new LeaseBuilder()
                        .withNewMetadata()
                        .withName("tulle-controller")
                        .withNamespace("tulle-system")
                        .endMetadata()
                        .withNewSpec()
                        .withHolderIdentity("gone")
                        .withRenewTime(Instant.now().plus(Duration.ofDays(365)).atZone(ZoneOffset.UTC))
                        .endSpec()
                        .build())
                .create();
        Leadership second = candidate("second");
        // When
        second.stand();
        // Then
        assertThat(second.await()).isTrue();
        assertThat(client.leases()
                        .inNamespace("tulle-system")
                        .withName("tulle-controller")
                        .get()
                        .getSpec()
                        .getLeaseTransitions())
                .isEqualTo(1);
    }

    @Test
    void aLeaderWhoseLeaseIsTakenIsToldOnce() throws InterruptedException {
        // Given
        Leadership first = candidate("first");
        first.stand();
        first.await();
        // When
        client.leases().inNamespace("tulle-system").withName("tulle-controller").edit(lease -> {
            lease.getSpec().setHolderIdentity("thief");
            return lease;
        });
        // Then
        await().atMost(SOON).until(() -> lost.get() == 1);
        assertThat(first.mayWrite()).isFalse();
        Thread.sleep(500);
        assertThat(lost).hasValue(1);
        assertThat(holder()).isEqualTo("thief");
    }

    @Test
    void aLeaderThatCannotRenewWritesNothingAndLosesNothing() throws InterruptedException {
        // Given: an API server that can be taken away.
        AtomicBoolean away = new AtomicBoolean();
        KubernetesClient through = clientThatFailsWhile(away);
        Leadership first = candidate("first", through);
        first.stand();
        first.await();
        // When
        away.set(true);
        await().atMost(SOON).until(() -> !first.mayWrite());
        assertThat(lost).hasValue(0);
        away.set(false);
        // Then
        await().atMost(SOON).until(first::mayWrite);
        assertThat(lost).hasValue(0);
        assertThat(holder()).isEqualTo("first");
        // When it is taken meanwhile
        away.set(true);
        await().atMost(SOON).until(() -> !first.mayWrite());
        Leadership second = candidate("second");
        second.stand();
        assertThat(second.await()).isTrue();
        away.set(false);
        // Then
        await().atMost(SOON).until(() -> lost.get() == 1);
        assertThat(first.mayWrite()).isFalse();
        assertThat(holder()).isEqualTo("second");
    }

    @Test
    void whoLedBeforeTheApiServerWasAwayLeadsAfterIt() throws InterruptedException {
        AtomicBoolean away = new AtomicBoolean();
        KubernetesClient through = clientThatFailsWhile(away);
        Leadership first = candidate("first", through);
        first.stand();
        first.await();
        Leadership second = candidate("second", through);
        second.stand();
        Thread.sleep(500);
        // When: longer than a Lease holds
        away.set(true);
        Thread.sleep(FAST.lease().plusSeconds(1));
        away.set(false);
        // Then
        await().atMost(SOON).until(first::mayWrite);
        Thread.sleep(FAST.lease().plusSeconds(1));
        assertThat(holder()).isEqualTo("first");
        assertThat(lost).hasValue(0);
    }

    @Test
    void aLeaderThatIsAloneForTooLongHasLost() throws InterruptedException {
        AtomicBoolean away = new AtomicBoolean();
        KubernetesClient through = clientThatFailsWhile(away);
        Leadership first = candidate("first", through);
        first.stand();
        first.await();
        long begun = System.nanoTime();
        away.set(true);
        await().atMost(SOON).until(() -> lost.get() == 1);
        assertThat(Duration.ofNanos(System.nanoTime() - begun))
                .isGreaterThan(FAST.alone().minusSeconds(2));
    }

    @Test
    void aCandidateThatIsClosedDoesNotLead() throws InterruptedException {
        Leadership candidate = candidate("first");
        candidate.close();
        assertThat(candidate.await()).isFalse();
        assertThatThrownBy(candidate::stand).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void itsAgeIsMeasuredFromWhenAVersionWasFirstSeen() {
        Duration lease = Duration.ofSeconds(15);
        Seen seen = new Seen("first", "7", 0);
        assertThat(seen.then("first", "7", lease.toNanos()).isFree(lease, lease.toNanos()))
                .isFalse();
        assertThat(seen.then("first", "7", lease.toNanos()).isFree(lease, lease.toNanos() + 1))
                .isTrue();
        assertThat(seen.then("first", "8", lease.toNanos()).isFree(lease, lease.toNanos() + 1))
                .isFalse();
        assertThat(new Seen("", "7", 0).isFree(lease, 1)).isTrue();
    }

    @Test
    void onlyTheLeadersPodHasTheLabel() {
        // Given
        for (String name : List.of("controller-1", "controller-2", "other")) {
            client.pods()
                    .inNamespace("tulle-system")
                    .resource(new PodBuilder()
                            .withNewMetadata()
                            .withName(name)
                            .withNamespace("tulle-system")
                            .addToLabels("app", name)
                            .endMetadata()
                            .build())
                    .create();
        }
        LeaderLabel first = new LeaderLabel(client, "tulle-system", "controller-1");
        LeaderLabel second = new LeaderLabel(client, "tulle-system", "controller-2");
        // When
        first.take();
        second.take();
        // Then
        assertThat(labelled()).containsExactly("controller-2");
        // When
        second.giveBack();
        new LeaderLabel(client, "tulle-system", "no-pod").giveBack();
        // Then
        assertThat(labelled()).isEmpty();
    }

    private List<String> labelled() {
        return client.pods().inNamespace("tulle-system").withLabel(LeaderLabel.KEY, "true").list().getItems().stream()
                .map(pod -> pod.getMetadata().getName())
                .toList();
    }

    private String holder() {
        return client.leases()
                .inNamespace("tulle-system")
                .withName("tulle-controller")
                .get()
                .getSpec()
                .getHolderIdentity();
    }

    private KubernetesClient clientThatFailsWhile(AtomicBoolean away) {
        KubernetesClient made = new KubernetesClientBuilder()
                .withConfig(client.getConfiguration())
                .withHttpClientBuilderConsumer(builder -> builder.addOrReplaceInterceptor("away", new Interceptor() {
                    @Override
                    public void before(BasicBuilder request, HttpRequest asked, RequestTags tags) {
                        if (away.get()) {
                            request.uri(URI.create("http://127.0.0.1:1/"));
                        }
                    }
                }))
                .build();
        clients.add(made);
        return made;
    }

    private Leadership candidate(String self) {
        return candidate(self, client);
    }

    private Leadership candidate(String self, KubernetesClient by) {
        Leadership candidate = new Leadership(
                by, "tulle-system", "tulle-controller", self, FAST, Clock.systemUTC(), lost::incrementAndGet);
        candidates.add(candidate);
        return candidate;
    }
}
