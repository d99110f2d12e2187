package dev.tulle.controller.trafficmetrics;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.controller.identity.Authorities.HandClock;
import dev.tulle.controller.resources.WorkloadResource.Pod.Maker;
import dev.tulle.proxy.model.WorkloadId;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class PodBookTest {
    private static final WorkloadId WEB = new WorkloadId("shop", "web-1");
    private static final WorkloadId SHOP = new WorkloadId("shop", "shop-1");
    private static final WorkloadId PLAIN = new WorkloadId("shop", "plain-1");

    private final HandClock clock = HandClock.atNow();
    private final PodBook book = new PodBook(clock);

    @Test
    void remembersForAWhileWhatIsGone() {
        // Given
        book.take(Pods.there(Pods.meshed(WEB, "web"), Pods.meshed(SHOP, "shop")));
        // When
        clock.pass(Duration.ofMinutes(10));
        book.take(Pods.there(Pods.meshed(WEB, "web")));
        clock.pass(PodBook.REMEMBERED.minusSeconds(1));
        book.take(Pods.there(Pods.meshed(WEB, "web")));
        // Then
        assertThat(book.pods()).containsOnlyKeys(WEB, SHOP);
        assertThat(isThere(WEB)).isTrue();
        assertThat(isThere(SHOP)).isFalse();
        // When
        clock.pass(Duration.ofSeconds(2));
        book.take(Pods.there(Pods.meshed(WEB, "web")));
        // Then
        assertThat(book.pods()).containsOnlyKeys(WEB);
    }

    @Test
    void whatIsThereAgainWasNeverGone() {
        book.take(Pods.there(Pods.meshed(WEB, "web")));
        book.take(Pods.there());
        book.take(Pods.there(Pods.meshed(WEB, "web")));

        assertThat(isThere(WEB)).isTrue();
    }

    private boolean isThere(WorkloadId id) {
        return Objects.requireNonNull(book.pods().get(id)).isThere();
    }

    @Test
    void knowsNoPodThatIsNotInTheMesh() {
        book.take(Pods.there(Pods.pod(PLAIN, false, "plain", "a", new Maker("DaemonSet", "plain"))));

        assertThat(book.pods()).isEmpty();
    }
}
