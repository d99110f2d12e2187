package dev.tulle.controller.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.controller.resources.ObjectRef;
import dev.tulle.controller.resources.Problem;
import dev.tulle.controller.resources.Problem.Severity;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.ObjectReference;
import io.fabric8.kubernetes.api.model.ObjectReferenceBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.server.mock.EnableKubernetesMockClient;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@EnableKubernetesMockClient(crud = true)
@Timeout(60)
class EventReporterTest {
    @SuppressWarnings("NullAway.Init") // The extension sets it.
    KubernetesClient client;

    private final List<Problem> problems = new ArrayList<>();
    private Instant now = Instant.parse("2026-11-21T18:00:00Z");

    @Test
    void tellsAProblemOnceWhileItLasts() {
        // Given
        problems.add(problem("web-1", Severity.ERROR, "is wrong: write it right"));
        EventReporter reporter = reporter();
        // When
        reporter.tell();
        now = now.plusSeconds(60);
        reporter.tell();
        // Then
        assertThat(events()).singleElement().satisfies(event -> {
            assertThat(event.getInvolvedObject().getUid()).isEqualTo("uid-web-1");
            assertThat(event.getType()).isEqualTo("Warning");
            assertThat(event.getReason()).isEqualTo("Invalid");
            assertThat(event.getMessage()).isEqualTo("spec.x: is wrong: write it right -> left out");
            assertThat(event.getCount()).isEqualTo(1);
        });
    }

    @Test
    void countsTheSameEventUpWhenItComesBackOrAnotherLeaderTellsIt() {
        // Given
        problems.add(problem("web-1", Severity.WARNING, "is not meshed, though it should be"));
        reporter().tell();
        // When
        reporter().tell();
        // Then
        assertThat(events()).singleElement().satisfies(event -> {
            assertThat(event.getCount()).isEqualTo(2);
            assertThat(event.getReason()).isEqualTo("NotMeshed");
        });
    }

    @Test
    void isBoundedInItsRateAndForgetsNothing() {
        // Given
        for (int i = 0; i < EventReporter.BURST + 3; i++) {
            problems.add(problem("web-" + i, Severity.ERROR, "is wrong"));
        }
        EventReporter reporter = reporter();
        // When
        reporter.tell();
        // Then
        assertThat(events()).hasSize(EventReporter.BURST);
        // When
        now = now.plus(EventReporter.REFILL.multipliedBy(3));
        reporter.tell();
        // Then
        assertThat(events()).hasSize(EventReporter.BURST + 3);
    }

    @Test
    void tellsNothingOfMereInformationNorOfWhatIsGone() {
        // Given
        problems.add(problem("web-1", Severity.INFO, "is worth knowing"));
        problems.add(problem("gone", Severity.ERROR, "is wrong"));
        problems.add(new Problem(Severity.ERROR, Optional.empty(), Optional.empty(), "", "no object", "nothing"));
        // When
        reporter().tell();
        // Then
        assertThat(events()).isEmpty();
    }

    @Test
    void cutsWhatIsTooLong() {
        // Given
        problems.add(problem("web-1", Severity.ERROR, "x".repeat(5_000)));
        // When
        reporter().tell();
        // Then
        assertThat(events())
                .singleElement()
                .satisfies(event -> assertThat(event.getMessage()).hasSize(1024).endsWith("…"));
    }

    private static Problem problem(String pod, Severity severity, String message) {
        return new Problem(
                severity,
                Optional.of(new ObjectRef("Pod", "shop", pod)),
                Optional.empty(),
                "spec.x",
                message,
                "left out");
    }

    private List<Event> events() {
        return client.v1().events().inNamespace("shop").list().getItems();
    }

    private EventReporter reporter() {
        return new EventReporter(client, "controller-1", () -> List.copyOf(problems), this::reference, new Clock() {
            @Override
            public ZoneId getZone() {
                return ZoneOffset.UTC;
            }

            @Override
            public Clock withZone(ZoneId zone) {
                return this;
            }

            @Override
            public Instant instant() {
                return now;
            }
        });
    }

    private Optional<ObjectReference> reference(ObjectRef ref) {
        return ref.name().equals("gone")
                ? Optional.empty()
                : Optional.of(new ObjectReferenceBuilder()
                        .withApiVersion("v1")
                        .withKind(ref.kind())
                        .withNamespace(ref.namespace())
                        .withName(ref.name())
                        .withUid("uid-" + ref.name())
                        .build());
    }
}
