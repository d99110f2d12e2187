package dev.tulle.controller.kubernetes;

import dev.tulle.controller.resources.ObjectRef;
import dev.tulle.controller.resources.Problem;
import dev.tulle.controller.resources.Resources;
import dev.tulle.controller.watch.ClusterReader;
import dev.tulle.controller.watch.ResourceSource;
import io.fabric8.kubernetes.api.model.ObjectReference;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The objects of a cluster, watched through its API server.
 *
 * <p>Watching begins with {@link #watch}, on every replica; saying what is there with {@link #start}, on the one that leads.
 */
public final class KubernetesSource implements ResourceSource {
    /** How long no change may come before a burst counts as over. */
    public static final Duration QUIET = Duration.ofMillis(20);

    /** How long a burst is waited out at most. */
    public static final Duration MAX_SETTLE = Duration.ofMillis(200);

    /** How often it is looked for kinds that are not there. */
    public static final Duration LOOK = Duration.ofSeconds(3);

    private static final Duration CLOSE_WAIT = Duration.ofSeconds(2);
    private static final Duration SYNC_POLL = Duration.ofMillis(50);
    private static final Logger LOG = Logger.getLogger(KubernetesSource.class);

    private final ClusterReader reader = new ClusterReader();
    private final Semaphore changes = new Semaphore(0);
    private final List<KindWatch> watches;
    private @Nullable Thread looker;
    private @Nullable Thread teller;
    private volatile boolean synced;
    private volatile boolean closed;

    public KubernetesSource(KubernetesClient client) {
        this.watches = WatchedKind.all().stream()
                .map(kind -> new KindWatch(client, kind, reader, changes::release))
                .toList();
    }

    /** Begins to watch; returns at once. */
    public synchronized void watch() {
        if (looker != null || closed) {
            throw new IllegalStateException("the cluster is or was watched already");
        }
        looker = Thread.ofPlatform().daemon().name("tulle-cluster-kinds").start(this::lookAgainAndAgain);
    }

    /** Whether everything there is was read once; what is read anew after a loss does not count. Never waits. */
    public boolean synced() {
        if (!synced && watches.stream().allMatch(KindWatch::synced)) {
            synced = true;
        }
        return synced;
    }

    /**
     * Waits until everything there is was read.
     *
     * @return false when it was closed before
     */
    public boolean awaitSynced() throws InterruptedException {
        while (!closed) {
            if (synced()) {
                return true;
            }
            Thread.sleep(SYNC_POLL);
        }
        return false;
    }

    /** How the API server knows an object; absent when it is not there or of a kind that is not watched. */
    public Optional<ObjectReference> reference(ObjectRef ref) {
        return watches.stream()
                .filter(watch -> watch.kind().equals(ref.kind()))
                .findFirst()
                .flatMap(watch -> watch.reference(ref));
    }

    @Override
    public void start(Consumer<Resources> listener) {
        try {
            if (!awaitSynced()) {
                throw new IllegalStateException("the cluster's source was closed before");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while the cluster was read", e);
        }
        synchronized (this) {
            if (teller != null || closed) {
                throw new IllegalStateException("the cluster's source was started or closed before");
            }
            changes.drainPermits();
            Resources first = resources();
            listener.accept(first);
            teller = Thread.ofPlatform().daemon().name("tulle-cluster").start(() -> tell(listener, first));
        }
    }

    /** Everything that was read so far; absent until all of it was read once. Never waits, and builds the copy anew. */
    public Optional<Resources> known() {
        return synced() ? Optional.of(resources()) : Optional.empty();
    }

    private Resources resources() {
        List<Problem> problems =
                watches.stream().flatMap(watch -> watch.problem().stream()).toList();
        return reader.resources(problems);
    }

    private void tell(Consumer<Resources> listener, Resources first) {
        Resources last = first;
        while (!closed) {
            try {
                awaitSettledChange();
                Resources now = resources();
                if (!closed && !now.equals(last)) {
                    last = now;
                    listener.accept(now);
                }
            } catch (InterruptedException e) {
                return;
            } catch (RuntimeException e) {
                LOG.error("a change of the cluster could not be taken over", e);
            }
        }
    }

    /** Waits for a change and the end of its burst. */
    private void awaitSettledChange() throws InterruptedException {
        changes.acquire();
        long settled = System.nanoTime() + MAX_SETTLE.toNanos();
        boolean more = true;
        while (more) {
            changes.drainPermits();
            long left = Math.min(QUIET.toNanos(), settled - System.nanoTime());
            more = left > 0 && changes.tryAcquire(left, TimeUnit.NANOSECONDS);
        }
        changes.drainPermits();
    }

    private void lookAgainAndAgain() {
        while (!closed) {
            for (KindWatch watch : watches) {
                try {
                    watch.look();
                } catch (RuntimeException e) {
                    LOG.error("a kind could not be looked for", e);
                }
            }
            try {
                Thread.sleep(LOOK);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        end(looker);
        end(teller);
        watches.forEach(KindWatch::close);
    }

    private static void end(@Nullable Thread thread) {
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
