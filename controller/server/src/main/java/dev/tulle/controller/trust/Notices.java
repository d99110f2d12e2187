package dev.tulle.controller.trust;

import io.fabric8.kubernetes.api.model.EventBuilder;
import io.fabric8.kubernetes.api.model.ObjectReference;
import io.fabric8.kubernetes.api.model.ObjectReferenceBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.HexFormat;
import java.util.zip.CRC32;
import org.jboss.logging.Logger;

/**
 * Tells people by Events, once each: the name of an Event comes from what it says, so a second controller says nothing twice.
 *
 * <p>An Event that cannot be written is logged and given up; it is never waited for.
 */
final class Notices {
    private static final Logger LOG = Logger.getLogger(Notices.class);
    private static final int MAX_MESSAGE = 1024;

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
        String now = clock.instant().truncatedTo(ChronoUnit.SECONDS).toString();
        var event = new EventBuilder()
                .withNewMetadata()
                .withName(name + "." + digest(kind + reason + occasion + message))
                .withNamespace(Owned.NAMESPACE)
                .endMetadata()
                .withInvolvedObject(about)
                .withType("Warning")
                .withReason(reason)
                .withMessage(message.length() <= MAX_MESSAGE ? message : message.substring(0, MAX_MESSAGE))
                .withNewSource()
                .withComponent(Owned.CONTROLLER)
                .endSource()
                .withReportingComponent("tulle.dev/controller")
                .withReportingInstance(Owned.CONTROLLER)
                .withAction(reason)
                .withFirstTimestamp(now)
                .withLastTimestamp(now)
                .withCount(1)
                .build();
        try {
            client.v1().events().resource(event).create();
        } catch (KubernetesClientException e) {
            if (e.getCode() != Owned.CONFLICT) {
                LOG.warnf("event not written reason=%s cause=%s", reason, Owned.reason(e));
            }
        }
    }

    private static String digest(String text) {
        CRC32 sum = new CRC32();
        sum.update(text.getBytes(StandardCharsets.UTF_8));
        return HexFormat.of().toHexDigits(sum.getValue(), 8);
    }
}
