package dev.tulle.controller.trust;

import dev.tulle.controller.event.WarningEvent;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.ObjectReference;
import io.fabric8.kubernetes.api.model.ObjectReferenceBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Clock;
import org.jboss.logging.Logger;

/**
 * Tells people by Events, once each: the name of an Event comes from what it says, so a second controller says nothing twice.
 *
 * <p>An Event that cannot be written is logged and given up; it is never waited for.
 */
final class Notices {
    private static final Logger LOG = Logger.getLogger(Notices.class);

    private final KubernetesClient client;
    private final Clock clock;

    Notices(KubernetesClient client, Clock clock) {
        this.client = client;
        this.clock = clock;
    }

    /**
     * A warning about one of our own objects.
     *
     * @param kind and name of an object in our namespace; it need not exist
     * @param reason one word in CamelCase
     * @param occasion tells one occasion from the next that says the same
     */
    void warn(String kind, String name, String reason, String message, String occasion) {
        LOG.warnf("notice object=%s/%s reason=%s cause=%s", kind, name, reason, message);
        ObjectReference about = new ObjectReferenceBuilder()
                .withApiVersion("v1")
                .withKind(kind)
                .withNamespace(Owned.NAMESPACE)
                .withName(name)
                .build();
        Event event =
                new WarningEvent(about, reason, reason, message, occasion).made(Owned.CONTROLLER, clock.instant());
        try {
            client.v1().events().resource(event).create();
        } catch (KubernetesClientException e) {
            if (e.getCode() != Owned.CONFLICT) {
                LOG.warnf("event not written reason=%s cause=%s", reason, Owned.reason(e));
            }
        }
    }
}
