package dev.tulle.controller.event;

import static java.util.Objects.requireNonNull;

import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.EventBuilder;
import io.fabric8.kubernetes.api.model.ObjectReference;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HexFormat;
import java.util.zip.CRC32;

/**
 * A warning that an object is told about, in the form that {@code kubectl describe} shows.
 *
 * <p>Its name comes from what it says, so that two replicas that say the same make one Event.
 *
 * @param about the object; it need not exist; without a namespace the Event lies in {@code default}
 * @param reason one word in CamelCase
 * @param action what was being done, likewise
 * @param message a sentence; what is longer than the API server takes is cut off
 * @param occasion tells one occasion from the next that says the same; may be empty
 */
public record WarningEvent(ObjectReference about, String reason, String action, String message, String occasion) {
    private static final String COMPONENT = "tulle-controller";
    private static final String REPORTER = "tulle.dev/controller";
    private static final int MAX_MESSAGE = 1024;

    public WarningEvent {
        requireNonNull(about, "about");
        requireNonNull(reason, "reason");
        requireNonNull(action, "action");
        requireNonNull(message, "message");
        requireNonNull(occasion, "occasion");
    }

    /**
     * The object that the API server is given.
     *
     * @param instance the replica that tells
     */
    public Event made(String instance, Instant now) {
        String time = now.truncatedTo(ChronoUnit.SECONDS).toString();
        return new EventBuilder()
                .withNewMetadata()
                .withName("%.200s.%s".formatted(about.getName(), digest()))
                .withNamespace(about.getNamespace() == null ? "default" : about.getNamespace())
                .endMetadata()
                .withInvolvedObject(about)
                .withType("Warning")
                .withReason(reason)
                .withAction(action)
                .withMessage(message.length() <= MAX_MESSAGE ? message : message.substring(0, MAX_MESSAGE - 1) + "…")
                .withNewSource()
                .withComponent(COMPONENT)
                .endSource()
                .withReportingComponent(REPORTER)
                .withReportingInstance(instance)
                .withFirstTimestamp(time)
                .withLastTimestamp(time)
                .withCount(1)
                .build();
    }

    private String digest() {
        CRC32 sum = new CRC32();
        sum.update((about.getUid() + about.getKind() + reason + occasion + message).getBytes(StandardCharsets.UTF_8));
        return HexFormat.of().toHexDigits(sum.getValue(), 8);
    }
}
