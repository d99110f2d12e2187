package dev.tulle.controller.kubernetes;

import static java.util.Objects.requireNonNull;

import dev.tulle.controller.event.WarningEvent;
import dev.tulle.controller.resources.ObjectRef;
import dev.tulle.controller.resources.Problem;
import dev.tulle.controller.resources.Problem.Severity;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.EventBuilder;
import io.fabric8.kubernetes.api.model.ObjectReference;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Tells problems of objects as Events on these objects.
 *
 * <p>A problem is told once while it lasts; its Event's name comes from what it says, so the next leader counts the same Event up
 * instead of telling anew. At most {@link #BURST} at once and one each {@link #REFILL} after that: what waits is told later if it is
 * still so. Mere information is not told.
 */
public final class EventReporter implements AutoCloseable {
    /** How many Events may be written at once. */
    public static final int BURST = 25;

    /** How long until one more may be. */
    public static final Duration REFILL = Duration.ofSeconds(2);

    private static final Duration LOOK = Duration.ofSeconds(2);
    /** An API server keeps Events for an hour as a rule. */
    private static final Duration AGAIN = Duration.ofMinutes(50);

    private static final int CONFLICT = 409;
    private static final Duration CLOSE_WAIT = Duration.ofSeconds(2);
    private static final Logger LOG = Logger.getLogger(EventReporter.class);

    private final KubernetesClient client;
    private final String instance;
    private final Supplier<List<Problem>> problems;
    private final Function<ObjectRef, Optional<ObjectReference>> references;
    private final Clock clock;
    private final Map<Problem, Instant> told = new HashMap<>();
    private double tokens = BURST;
    private Instant refilled;
    private volatile boolean closed;
    private @Nullable Thread thread;

    /**
     * A reporter that is not yet started.
     *
     * @param instance the replica that tells
     * @param problems all there are now
     * @param references how the API server knows an object; absent when it is gone
     */
    public EventReporter(
            KubernetesClient client,
            String instance,
            Supplier<List<Problem>> problems,
            Function<ObjectRef, Optional<ObjectReference>> references,
            Clock clock) {
        this.client = requireNonNull(client, "client");
        this.instance = requireNonNull(instance, "instance");
        this.problems = requireNonNull(problems, "problems");
        this.references = requireNonNull(references, "references");
        this.clock = requireNonNull(clock, "clock");
        this.refilled = clock.instant();
    }

    /**
     * Begins to tell.
     *
     * @param mayWrite asked before each round
     */
    public synchronized EventReporter start(BooleanSupplier mayWrite) {
        thread = Thread.ofPlatform().daemon().name("tulle-events").start(() -> {
            while (!closed) {
                try {
                    if (mayWrite.getAsBoolean()) {
                        tell();
                    }
                    Thread.sleep(LOOK);
                } catch (InterruptedException e) {
                    return;
                } catch (RuntimeException e) {
                    LOG.error("events not written", e);
                }
            }
        });
        return this;
    }

    /** Tells what was not told yet, as far as the rate allows. */
    void tell() {
        Instant now = clock.instant();
        tokens = Math.min(
                BURST, tokens + (double) Duration.between(refilled, now).toMillis() / REFILL.toMillis());
        refilled = now;
        List<Problem> here = problems.get().stream()
                .filter(problem ->
                        problem.severity() != Severity.INFO && problem.object().isPresent())
                .toList();
        told.keySet().retainAll(here);
        for (Problem problem : here) {
            Instant before = told.get(problem);
            if (before != null && now.isBefore(before.plus(AGAIN))) {
                continue;
            }
            if (tokens < 1) {
                return;
            }
            Optional<ObjectReference> about = references.apply(problem.object().orElseThrow());
            if (about.isPresent()) {
                tokens--;
                if (write(event(problem, about.get(), now))) {
                    told.put(problem, now);
                }
            }
        }
    }

    private Event event(Problem problem, ObjectReference about, Instant now) {
        String message = (problem.field().isEmpty() ? "" : problem.field() + ": ") + problem.message() + " -> "
                + problem.outcome();
        return new WarningEvent(about, reason(problem, about), "Assemble", message, "").made(instance, now);
    }

    private static String reason(Problem problem, ObjectReference about) {
        if (about.getKind().equals("Pod") && problem.message().startsWith("is not meshed")) {
            return "NotMeshed";
        }
        return problem.severity() == Severity.ERROR ? "Invalid" : "Doubtful";
    }

    /** Whether it need not be tried again. */
    private boolean write(Event event) {
        var events = client.v1().events().inNamespace(event.getMetadata().getNamespace());
        try {
            try {
                events.resource(event).create();
            } catch (KubernetesClientException e) {
                if (e.getCode() != CONFLICT) {
                    throw e;
                }
                events.withName(event.getMetadata().getName())
                        .edit(there -> new EventBuilder(there)
                                .withCount((there.getCount() == null ? 1 : there.getCount()) + 1)
                                .withLastTimestamp(event.getLastTimestamp())
                                .build());
            }
            return true;
        } catch (KubernetesClientException e) {
            LOG.debugf(
                    "event not written object=%s cause=%s", event.getMetadata().getName(), e.getMessage());
            // Of an object in a namespace that ends, nothing can be told any more.
            return e.getCode() == 403 || e.getCode() == 404;
        }
    }

    @Override
    public void close() {
        closed = true;
        Thread running = thread;
        if (running != null) {
            running.interrupt();
            try {
                running.join(CLOSE_WAIT);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
