package dev.tulle.controller.assemble;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.controller.resources.ObjectRef;
import dev.tulle.controller.resources.Problems;
import dev.tulle.proxy.model.Resilience;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class PolicyWordsTest {
    private static final ObjectRef SERVICE = new ObjectRef("Service", "shop", "reviews");

    @Test
    void saysWhatTheAnnotationsSaid() {
        TreeMap<String, String> annotations = new TreeMap<>(Map.of(
                "tulle.dev/timeout", "1500ms",
                "tulle.dev/timeout-idle", "60s",
                "tulle.dev/retries", "3",
                "tulle.dev/eject-after", "5",
                "tulle.dev/max-pending", "7",
                "tulle.dev/rate-limit", "100/m burst 9",
                "tulle.dev/fault", "abort 503 0.5% until 2026-12-01T00:00:00Z; delay 2s 10% until 2026-12-01T00:00:00Z",
                "tulle.dev/zone", "prefer"));
        Problems problems = new Problems(Map.of());

        ServiceAnnotations.Said said = ServiceAnnotations.read(SERVICE, annotations, problems);

        assertThat(problems.found()).isEmpty();
        assertThat(PolicyWords.of(said.resilience(), said.rateLimit()))
                .containsExactly(
                        "timeout 1500ms",
                        "timeout-idle 1m",
                        "retries 3",
                        "eject-after 5",
                        "max-pending 7",
                        "rate-limit 100/m",
                        "fault abort 503 0.5% until 2026-12-01T00:00:00Z",
                        "fault delay 2s 10% until 2026-12-01T00:00:00Z",
                        "zone prefer");
    }

    @Test
    void saysNothingOfNothing() {
        assertThat(PolicyWords.of(Resilience.NONE, Optional.empty())).isEmpty();
    }
}
