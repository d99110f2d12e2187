package dev.tulle.conformance.kubernetes.install;

import dev.tulle.conformance.kubernetes.Place;
import dev.tulle.conformance.kubernetes.Tulle;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.Isolated;

/** The quickstart's shop runs on a cluster, and its tour shows there what it shows on one machine. */
@Tag("cluster")
@Isolated("it changes what all others use")
class TourTest {
    private static final Duration LIMIT = Duration.ofMinutes(9);

    @Test
    @Timeout(value = 10, unit = TimeUnit.MINUTES)
    void everyStepShowsWhatItShould() {
        Tulle.ensureInstalled();
        String run = Path.of("../../quickstart/kubernetes/run").toString();
        System.out.println(
                Place.run(LIMIT, List.of(run, "--check"), "").succeeded().out());
    }
}
