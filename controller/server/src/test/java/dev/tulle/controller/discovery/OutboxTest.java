package dev.tulle.controller.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.proxy.model.Destination;
import dev.tulle.proxy.model.DestinationKey;
import dev.tulle.proxy.model.Protocol;
import dev.tulle.proxy.model.ToProxy;
import dev.tulle.proxy.model.TrustBundle;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class OutboxTest {
    private static final TrustBundle TRUST = new TrustBundle("cluster.local", List.of("a"), "1");
    private static final DestinationKey KEY = new DestinationKey.ServicePort("shop", "catalog", 80);

    private final Outbox outbox = new Outbox(10);

    @Test
    void numbersFromWhatTheProxyHolds() {
        outbox.offer(TRUST);
        outbox.offer(destination("one"));
        assertThat(sent()).extracting(ToProxy::version).containsExactly(11L, 12L);
    }

    @Test
    void ofSeveralWaitingForOneSlotSendsTheNewest() {
        outbox.offer(destination("one"));
        outbox.offer(TRUST);
        outbox.offer(destination("two"));
        assertThat(sent()).containsExactly(new ToProxy.Watched(11, destination("two")), new ToProxy.Trust(12, TRUST));
    }

    @Test
    void offersNothingTwice() {
        outbox.offer(destination("one"));
        sent();
        outbox.offer(destination("one"));
        assertThat(outbox.isEmpty()).isTrue();
        outbox.offer(destination("two"));
        assertThat(sent()).hasSize(1);
    }

    @Test
    void aDestinationAskedForAgainIsSentAgain() {
        outbox.offer(destination("one"));
        sent();
        outbox.forget(new Slot.Watched(KEY));
        outbox.offer(destination("one"));
        assertThat(sent()).hasSize(1);
    }

    @Test
    void aRefusalStandsUntilTheSameThingIsTaken() {
        outbox.offer(TRUST);
        outbox.offer(destination("one"));
        sent();
        outbox.nack(12, "no");
        outbox.ack(11);
        assertThat(outbox.newestNack()).contains(new Outbox.Nack(12, "svc:shop/catalog:80", "no"));
        assertThat(outbox.trust()).contains(TRUST);
        outbox.offer(destination("two"));
        sent();
        outbox.ack(13);
        assertThat(outbox.newestNack()).isEmpty();
        assertThat(outbox.ackedVersion()).isEqualTo(13);
    }

    @Test
    void answersToWhatWasNeverSentCountForNothing() {
        outbox.offer(TRUST);
        sent();
        outbox.ack(999);
        outbox.nack(5, "?");
        assertThat(outbox.ackedVersion()).isZero();
        assertThat(outbox.newestNack()).isEmpty();
        assertThat(outbox.oldestUnanswered()).contains(1L);
        assertThat(outbox.unanswered()).isEqualTo(1);
    }

    private List<ToProxy> sent() {
        List<ToProxy> sent = new ArrayList<>();
        while (!outbox.isEmpty()) {
            sent.add(outbox.next(1));
        }
        return sent;
    }

    private static Destination destination(String service) {
        return new Destination.Service(KEY, service, Protocol.HTTP, List.of(), List.of());
    }
}
