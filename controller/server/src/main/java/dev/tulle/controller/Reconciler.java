package dev.tulle.controller;

import dev.tulle.controller.api.Controller.OwnProblem;
import dev.tulle.controller.api.Controller.Progress;
import dev.tulle.controller.assemble.Assembled;
import dev.tulle.controller.assemble.MeshAssembler;
import dev.tulle.controller.discovery.DiscoveryServer;
import dev.tulle.controller.discovery.ProxyRegistry;
import dev.tulle.controller.discovery.Publisher;
import dev.tulle.controller.discovery.Readiness;
import dev.tulle.controller.discovery.RotationProgress;
import dev.tulle.controller.discovery.Snapshot;
import dev.tulle.controller.identity.AuthorityState;
import dev.tulle.controller.identity.CertificateAuthority;
import dev.tulle.controller.identity.UnusableState;
import dev.tulle.controller.resources.MeshSettings;
import dev.tulle.controller.resources.Resources;
import dev.tulle.controller.resources.WorkloadResource;
import dev.tulle.proxy.model.TrustBundle;
import dev.tulle.proxy.model.WorkloadId;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.jboss.logging.Logger;

/**
 * The whole chain, from objects to what proxies are told, on one thread.
 *
 * <p>Runs when the objects changed, when a workload became ready or unready, and once a second for what only time brings: an issuer
 * that ages, a rotation that may go on, a proxy that stays away.
 */
final class Reconciler implements AutoCloseable {
    private static final Logger LOG = Logger.getLogger(Reconciler.class);
    private static final Duration TICK = Duration.ofSeconds(1);
    private static final Duration SETTLE = Duration.ofMillis(50);
    private static final Duration STOP = Duration.ofSeconds(5);
    /** After a failed write the next try waits, so that a full disk is not written to each second. */
    private static final Duration WRITE_RETRY = Duration.ofSeconds(10);

    private final CertificateAuthority authority;
    private final ProxyRegistry registry;
    private final Publisher publisher;
    private final ReadyBy readyBy;
    private final Supplier<List<OwnProblem>> identityProblems;
    private final Clock clock;
    private final Instant started;
    private final ScheduledExecutorService thread;
    private final AtomicBoolean asked = new AtomicBoolean();
    private volatile Optional<Resources> latest = Optional.empty();
    private volatile Progress progress;
    private volatile Optional<DiscoveryServer> server = Optional.empty();

    // Touched by look() only.
    private Optional<Resources> lastResources = Optional.empty();
    private Optional<TrustBundle> lastTrust = Optional.empty();
    private Optional<OwnProblem> stateProblem = Optional.empty();
    private Optional<OwnProblem> servingProblem = Optional.empty();
    private Instant writeAgainAt = Instant.EPOCH;

    /** Who says which workloads are ready. */
    enum ReadyBy {
        /** Their proxies: one that is away or unwell is not ready. */
        PROXIES,
        /** The objects: a cluster asks proxy and application itself. */
        OBJECTS
    }

    Reconciler(
            CertificateAuthority authority,
            ProxyRegistry registry,
            Publisher publisher,
            ReadyBy readyBy,
            Supplier<List<OwnProblem>> identityProblems,
            Clock clock) {
        this.identityProblems = identityProblems;
        this.readyBy = readyBy;
        this.authority = authority;
        this.registry = registry;
        this.publisher = publisher;
        this.clock = clock;
        this.started = clock.instant();
        this.progress = new Progress(0, Optional.empty(), List.of(), new TreeSet<>(), 0, started);
        ThreadFactory daemon = task -> {
            Thread made = new Thread(task, "reconciler");
            made.setDaemon(true);
            return made;
        };
        this.thread = Executors.newSingleThreadScheduledExecutor(daemon);
    }

    /** Begins; from now on it looks once a second. */
    void start() {
        ScheduledFuture<?> unused = thread.scheduleWithFixedDelay(
                () -> guarded(this::look), TICK.toMillis(), TICK.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** The server whose certificate is kept fresh. */
    void serve(DiscoveryServer running) {
        server = Optional.of(running);
    }

    /** Takes new objects; the first ones are worked in before this returns. */
    void resources(Resources resources) {
        boolean first = latest.isEmpty();
        latest = Optional.of(resources);
        if (first) {
            look();
        } else {
            ask();
        }
    }

    /** Asks for a look soon; many asks in a short time lead to one. From any thread. */
    void ask() {
        if (asked.compareAndSet(false, true)) {
            try {
                ScheduledFuture<?> unused = thread.schedule(
                        () -> {
                            asked.set(false);
                            guarded(this::look);
                        },
                        SETTLE.toMillis(),
                        TimeUnit.MILLISECONDS);
            } catch (RejectedExecutionException e) {
                LOG.debug("asked while stopping");
            }
        }
    }

    Progress progress() {
        return progress;
    }

    private synchronized void look() {
        if (latest.isEmpty()) {
            return;
        }
        Instant now = clock.instant();
        Resources declared = latest.get();
        Collection<WorkloadId> workloads = declared.workloads().stream()
                .filter(WorkloadResource::meshed)
                .map(WorkloadResource::id)
                .toList();
        SortedSet<WorkloadId> waiting = RotationProgress.waitingFor(
                authority.state(), workloads, registry.statuses(), started, authority.leafLife(), now);
        maintain(declared.settings(), !waiting.isEmpty(), now);
        Resources named = declared.withTrustDomain(authority.trustDomain());
        Resources resources = switch (readyBy) {
            case PROXIES -> named.withUnready(Readiness.unready(workloads, registry.statuses(), started, now));
            case OBJECTS -> named;
        };
        TrustBundle trust = authority.trust();
        boolean changed = !lastResources.equals(Optional.of(resources)) || !lastTrust.equals(Optional.of(trust));
        if (changed) {
            reconcile(resources, trust, waiting);
            lastResources = Optional.of(resources);
            lastTrust = Optional.of(trust);
        } else {
            progress = new Progress(
                    progress.generation(),
                    progress.assembled(),
                    ownProblems(declared.settings()),
                    waiting,
                    progress.rebuildSeconds(),
                    progress.at());
        }
    }

    /** Objects -> mesh -> what each proxy is told. */
    private void reconcile(Resources resources, TrustBundle trust, SortedSet<WorkloadId> waiting) {
        long begun = System.nanoTime();
        Assembled assembled = MeshAssembler.assemble(resources);
        publisher.publish(new Snapshot(assembled.mesh(), trust));
        progress = new Progress(
                progress.generation() + 1,
                Optional.of(assembled),
                ownProblems(latest.map(Resources::settings).orElse(MeshSettings.NONE)),
                waiting,
                (System.nanoTime() - begun) / 1e9,
                clock.instant());
    }

    /** Certificates: what is due now. A failure leaves all as it is and is tried again. */
    private void maintain(MeshSettings settings, boolean waiting, Instant now) {
        if (!now.isBefore(writeAgainAt)) {
            try {
                if (authority.maintain(Math.max(1, settings.rootGeneration()), waiting)) {
                    var state = authority.state();
                    LOG.infof(
                            "certificates moved on phase=%s generation=%d roots=%d issuer=%s",
                            state.rotation().phase(),
                            state.rotation().generation(),
                            state.roots().size(),
                            state.issuer().id());
                }
                stateProblem = Optional.empty();
            } catch (UnusableState e) {
                writeAgainAt = now.plus(WRITE_RETRY);
                OwnProblem problem = new OwnProblem(
                        "Authority",
                        String.valueOf(e.getMessage()),
                        "certificates are signed as before, the rotation waits, the write is tried again");
                if (stateProblem.isEmpty()) {
                    LOG.errorf("state not written cause=%s", e.getMessage());
                }
                stateProblem = Optional.of(problem);
            }
        }
        try {
            server.ifPresent(DiscoveryServer::renewCertificate);
            servingProblem = Optional.empty();
        } catch (IllegalStateException e) {
            if (servingProblem.isEmpty()) {
                LOG.error("serving certificate not replaced", e);
            }
            servingProblem = Optional.of(new OwnProblem(
                    "Controller",
                    "its own certificate could not be replaced: " + e.getMessage(),
                    "it is tried again each second"));
        }
    }

    private List<OwnProblem> ownProblems(MeshSettings settings) {
        List<OwnProblem> problems = new ArrayList<>();
        stateProblem.ifPresent(problems::add);
        servingProblem.ifPresent(problems::add);
        problems.addAll(identityProblems.get());
        AuthorityState state = authority.state();
        if (state.isGiven() && settings.rootGeneration() > state.rotation().generation()) {
            problems.add(new OwnProblem(
                    MeshSettings.CONFIG_MAP.toString(),
                    "root-generation asks for a root of our own, but the root comes with Secret tulle-issuer: have that renewed where it is made, or delete it",
                    "the root stays"));
        }
        settings.trustDomain()
                .filter(wanted -> !wanted.equals(authority.trustDomain()))
                .ifPresent(wanted -> problems.add(new OwnProblem(
                        MeshSettings.CONFIG_MAP.toString(),
                        "trust-domain is '%s', but the root is of '%s'; a trust domain is fixed once its root exists: leave it, or %s"
                                .formatted(wanted, authority.trustDomain(), authority.otherTrustDomain()),
                        "identities stay in " + authority.trustDomain())));
        return problems;
    }

    private static void guarded(Runnable work) {
        try {
            work.run();
        } catch (RuntimeException e) {
            LOG.error("reconciling failed; the last good mesh stays in effect", e);
        }
    }

    @Override
    public void close() {
        thread.shutdown();
        try {
            if (!thread.awaitTermination(STOP.toMillis(), TimeUnit.MILLISECONDS)) {
                thread.shutdownNow();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
