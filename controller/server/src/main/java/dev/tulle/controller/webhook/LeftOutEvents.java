package dev.tulle.controller.webhook;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tulle.controller.event.WarningEvent;
import io.fabric8.kubernetes.api.model.ObjectReference;
import io.fabric8.kubernetes.api.model.ObjectReferenceBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/**
 * Writes an Event on the owner of each pod that was left out, such as a DaemonSet; one an owner in ten minutes.
 *
 * <p>A pod without owner gets none: its author reads the same sentence as a warning. Written by one thread from a bounded queue; what does
 * not fit is dropped, as is what cannot be written.
 */
final class LeftOutEvents implements LeftOut, AutoCloseable {
    private static final Logger LOG = Logger.getLogger(LeftOutEvents.class);
    private static final Duration QUIET = Duration.ofMinutes(10);
    private static final int REMEMBERED = 1000;
    private static final int WAITING = 100;

    private final KubernetesClient client;
    private final String reporter;
    private final Clock clock;
    private final Map<String, Instant> told = new LinkedHashMap<>();
    private final ThreadPoolExecutor writer =
            new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS, new ArrayBlockingQueue<>(WAITING), task -> {
                Thread thread = new Thread(task, "tulle-left-out-events");
                thread.setDaemon(true);
                return thread;
            });

    LeftOutEvents(KubernetesClient client, String reporter, Clock clock) {
        this.client = client;
        this.reporter = reporter;
        this.clock = clock;
    }

    @Override
    public void tell(String namespace, ObjectNode pod, String sentence) {
        for (JsonNode owner : pod.at("/metadata/ownerReferences")) {
            if (owner.path("controller").asBoolean() && isNews(owner.path("uid").asText())) {
                try {
                    writer.execute(() -> write(namespace, owner, sentence));
                } catch (RejectedExecutionException e) {
                    LOG.debugf("event dropped owner=%s", owner.path("name").asText());
                }
            }
        }
    }

    private synchronized boolean isNews(String uid) {
        Instant now = clock.instant();
        told.values().removeIf(at -> at.plus(QUIET).isBefore(now));
        return told.size() < REMEMBERED && told.putIfAbsent(uid, now) == null;
    }

    private void write(String namespace, JsonNode owner, String sentence) {
        Instant now = clock.instant();
        ObjectReference about = new ObjectReferenceBuilder()
                .withApiVersion(owner.path("apiVersion").asText())
                .withKind(owner.path("kind").asText())
                .withName(owner.path("name").asText())
                .withNamespace(namespace)
                .withUid(owner.path("uid").asText())
                .build();
        try {
            var unused = client.v1()
                    .events()
                    .inNamespace(namespace)
                    .resource(new WarningEvent(about, "NotInjected", "Inject", sentence, now.toString())
                            .made(reporter, now))
                    .create();
        } catch (KubernetesClientException e) {
            LOG.warnf("event not written owner=%s/%s cause=%s", namespace, about.getName(), e.getMessage());
        }
    }

    @Override
    public void close() {
        writer.shutdownNow();
    }
}
