package dev.tulle.controller.kubernetes;

import static java.util.Objects.requireNonNull;

import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.RequestConfigBuilder;
import java.time.Clock;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Stands for leader by a Lease of the cluster, and says when it was lost.
 *
 * <p>How old a Lease is, each replica measures by its own clock from when it saw it change, so clocks need not agree. A leader that
 * could not renew for {@link Timing#renew} may write nothing more, well before another may take over; a second thread watches that, so
 * that a hanging request cannot hide it. It has lost only when it sees that another leads, or after {@link Timing#alone}: a slow API
 * server must not take the controller from the proxies while nobody else could be it. Safe for all threads.
 */
public final class Leadership implements AutoCloseable {
    private static final Logger LOG = Logger.getLogger(Leadership.class);
    /** For one answer of the API server; it is asked again rather than waited for. */
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private static final Duration CLOSE_WAIT = Duration.ofSeconds(5);

    /**
     * Times of an election.
     *
     * @param lease how long a Lease holds that nobody renews
     * @param renew within what a leader must have renewed it to write, shorter than {@code lease}
     * @param retry between looks at it
     * @param alone within what it must have renewed it to lead at all: by then another may be followed by those who cannot see us
     */
    public record Timing(Duration lease, Duration renew, Duration retry, Duration alone) {
        /** What is usual in clusters, and a minute. */
        public static final Timing DEFAULT = new Timing(
                Duration.ofSeconds(15), Duration.ofSeconds(10), Duration.ofSeconds(2), Duration.ofMinutes(1));

        public Timing {
            if (retry.compareTo(renew) >= 0 || renew.compareTo(lease) >= 0 || lease.compareTo(alone) >= 0) {
                throw new IllegalArgumentException(
                        "not retry < renew < lease < alone: %s %s %s %s".formatted(retry, renew, lease, alone));
            }
        }
    }

    /**
     * The Lease as it was last seen.
     *
     * @param holder who has it, or empty
     * @param version of the object
     * @param sinceNanos when this version was first seen, by {@link System#nanoTime}
     */
    record Seen(String holder, String version, long sinceNanos) {
        Seen {
            requireNonNull(holder, "holder");
            requireNonNull(version, "version");
        }

        /** What is seen now, if this was seen before. */
        Seen then(String newHolder, String newVersion, long nowNanos) {
            return newVersion.equals(version) ? this : new Seen(newHolder, newVersion, nowNanos);
        }

        /** Whether someone else may take it. */
        boolean isFree(Duration lease, long nowNanos) {
            return holder.isEmpty() || nowNanos - sinceNanos > lease.toNanos();
        }
    }

    private final KubernetesClient client;
    private final String namespace;
    private final String name;
    private final String self;
    private final Timing timing;
    private final Clock clock;
    private final Runnable lost;
    private final CountDownLatch decided = new CountDownLatch(1);
    private final AtomicBoolean toldLost = new AtomicBoolean();
    private volatile boolean leads;
    private volatile boolean writes;
    private volatile boolean closed;
    private volatile long renewedNanos;
    private @Nullable Thread standing;
    private @Nullable Thread watching;
    private Optional<Seen> seen = Optional.empty();
    private long lookedNanos;

    /**
     * A candidate.
     *
     * @param self no two processes may have the same, not even one and the next in the same pod
     * @param lost told once, when this replica led and leads no longer; must not block
     */
    public Leadership(
            KubernetesClient client,
            String namespace,
            String name,
            String self,
            Timing timing,
            Clock clock,
            Runnable lost) {
        this.client = requireNonNull(client, "client")
                .newClient(new RequestConfigBuilder()
                        .withRequestTimeout((int) PATIENCE.toMillis())
                        .withRequestRetryBackoffLimit(0)
                        .build())
                .adapt(KubernetesClient.class);
        this.namespace = requireNonNull(namespace, "namespace");
        this.name = requireNonNull(name, "name");
        this.self = requireNonNull(self, "self");
        this.timing = requireNonNull(timing, "timing");
        this.clock = requireNonNull(clock, "clock");
        this.lost = requireNonNull(lost, "lost");
    }

    /** Begins to stand; returns at once. */
    public synchronized void stand() {
        if (standing != null || closed) {
            throw new IllegalStateException("stood or closed before");
        }
        standing = Thread.ofPlatform().daemon().name("tulle-lease").start(this::standAgainAndAgain);
        watching = Thread.ofPlatform().daemon().name("tulle-lease-age").start(this::watchAge);
    }

    /**
     * Waits until this replica leads.
     *
     * @return false when it was closed before
     */
    public boolean await() throws InterruptedException {
        decided.await();
        return leads;
    }

    /** Whether this replica leads and may write. */
    public boolean mayWrite() {
        return writes;
    }

    private void standAgainAndAgain() {
        while (!closed && !toldLost.get()) {
            try {
                look();
            } catch (KubernetesClientException e) {
                LOG.warnf("lease not %s cause=%s", leads ? "renewed" : "read", e.getMessage());
            } catch (RuntimeException e) {
                LOG.error("standing for leader failed", e);
            }
            try {
                Thread.sleep(timing.retry());
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private void look() {
        long begun = System.nanoTime();
        Lease lease = client.leases().inNamespace(namespace).withName(name).get();
        if (lease == null) {
            if (leads) {
                end("somebody deleted the Lease");
            } else {
                write(fresh(), true, begun);
            }
            return;
        }
        String holder = Optional.ofNullable(lease.getSpec())
                .map(spec -> spec.getHolderIdentity())
                .orElse("");
        String version = lease.getMetadata().getResourceVersion();
        // Time in which nobody could renew it, for the API server was away, does not count.
        boolean watched = begun - lookedNanos <= timing.renew().toNanos();
        Seen now = seen.filter(before -> watched)
                .map(before -> before.then(holder, version, begun))
                .orElseGet(() -> new Seen(holder, version, begun));
        seen = Optional.of(now);
        lookedNanos = begun;
        if (holder.equals(self)) {
            write(renewed(lease, self, false), false, begun);
        } else if (leads) {
            end("it has the Lease: " + holder);
        } else if (now.isFree(timing.lease(), begun)) {
            write(renewed(lease, self, true), false, begun);
        }
    }

    private Lease fresh() {
        return new LeaseBuilder()
                .withNewMetadata()
                .withNamespace(namespace)
                .withName(name)
                .endMetadata()
                .withNewSpec()
                .withHolderIdentity(self)
                .withLeaseDurationSeconds((int) timing.lease().toSeconds())
                .withAcquireTime(now())
                .withRenewTime(now())
                .withLeaseTransitions(0)
                .endSpec()
                .build();
    }

    private Lease renewed(Lease lease, String holder, boolean taken) {
        Integer transitions = lease.getSpec() == null ? null : lease.getSpec().getLeaseTransitions();
        var spec = new LeaseBuilder(lease)
                .editOrNewSpec()
                .withHolderIdentity(holder)
                .withLeaseDurationSeconds((int) timing.lease().toSeconds())
                .withRenewTime(now());
        if (taken) {
            spec.withAcquireTime(now()).withLeaseTransitions(transitions == null ? 1 : transitions + 1);
        }
        return spec.endSpec().build();
    }

    private ZonedDateTime now() {
        return clock.instant().truncatedTo(ChronoUnit.MICROS).atZone(ZoneOffset.UTC);
    }

    /** Writes the Lease if nobody else did meanwhile: it names the version it is based on. */
    private void write(Lease lease, boolean create, long begunNanos) {
        try {
            var resource = client.leases().inNamespace(namespace).resource(lease);
            Lease written = create ? resource.create() : resource.update();
            seen = Optional.of(new Seen(self, written.getMetadata().getResourceVersion(), System.nanoTime()));
        } catch (KubernetesClientException e) {
            if (e.getCode() == 409) {
                return; // Somebody was faster; the next look says who.
            }
            throw e;
        }
        renewedNanos = begunNanos;
        if (leads && !writes && !isOlderThan(timing.renew())) {
            writes = true;
            LOG.info("the Lease is renewed again");
        }
        if (!leads && !toldLost.get() && !closed) {
            leads = true;
            writes = true;
            LOG.infof("leading self=%s", self);
            decided.countDown();
        }
    }

    private boolean isOlderThan(Duration age) {
        return System.nanoTime() - renewedNanos > age.toNanos();
    }

    private void watchAge() {
        while (!closed && !toldLost.get()) {
            if (leads && isOlderThan(timing.alone())) {
                end("the Lease could not be renewed for %d s"
                        .formatted(timing.alone().toSeconds()));
                return;
            }
            if (writes && isOlderThan(timing.renew())) {
                writes = false;
                LOG.warnf(
                        "the Lease could not be renewed for %d s: nothing is written, proxies are served until another leads",
                        timing.renew().toSeconds());
            }
            try {
                Thread.sleep(Math.min(500, timing.retry().toMillis()));
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private void end(String why) {
        if (leads && !closed && toldLost.compareAndSet(false, true)) {
            leads = false;
            writes = false;
            LOG.errorf("leading no longer cause=%s", why);
            lost.run();
        }
    }

    /** Stops standing; a leader gives the Lease back, so that another need not wait for its end. */
    @Override
    public void close() {
        closed = true;
        boolean led = leads;
        leads = false;
        writes = false;
        decided.countDown();
        join(standing);
        join(watching);
        if (led) {
            try {
                Lease lease =
                        client.leases().inNamespace(namespace).withName(name).get();
                if (lease != null
                        && lease.getSpec() != null
                        && self.equals(lease.getSpec().getHolderIdentity())) {
                    client.leases()
                            .inNamespace(namespace)
                            .resource(renewed(lease, "", false))
                            .update();
                    LOG.info("lease given back");
                }
            } catch (KubernetesClientException e) {
                LOG.warnf("lease not given back cause=%s", e.getMessage());
            }
        }
    }

    private static void join(@Nullable Thread thread) {
        if (thread != null && !thread.equals(Thread.currentThread())) {
            thread.interrupt();
            try {
                thread.join(CLOSE_WAIT);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
