package dev.tulle.conformance.smi.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tulle.conformance.smi.harness.Case;
import dev.tulle.conformance.smi.harness.Group;
import dev.tulle.conformance.smi.harness.Measured;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** Groups whose ends are known beforehand. */
final class SampleCases {
    private SampleCases() {}

    @Group(value = "good", traffic = false)
    static class Good {
        @Case(
                id = "in-each-version",
                says = "It | passes.",
                api = "Sample",
                versions = {"v1", "v2"})
        void passes(String version, Measured measured) {
            measured.note("version", version).note("count", 7);
        }
    }

    @Group(value = "mixed", traffic = false)
    static class Mixed {
        @Case(id = "passes", says = "It passes.", api = "Sample", versions = "v1")
        void passes() {}

        @Case(id = "fails", says = "It fails.", api = "Sample", versions = "v1")
        void fails(Measured measured) {
            measured.note("seen", 3);
            assertThat(3).as("requests at <b>").isEqualTo(4);
        }

        @Case(
                id = "half-fails",
                says = "It fails in one version.",
                api = "Sample",
                versions = {"v1", "v2"})
        void halfFails(String version) {
            assertThat(version).isEqualTo("v1");
        }

        @Case(id = "skipped", says = "It is skipped.", api = "Sample", versions = "v1")
        void skipped() {
            assumeTrue(false, "there is nothing to look at");
        }
    }

    @Group("traffic")
    static class Traffic {
        @Case(
                id = "asks-a-mesh",
                says = "It needs a mesh.",
                api = "Sample",
                versions = {"v1", "v2"})
        void asks() {}
    }

    @Group(value = "unbegun", traffic = false)
    static class Unbegun {
        @BeforeAll
        static void begin() {
            fail("no place for it");
        }

        @Case(
                id = "never-runs",
                says = "It never runs.",
                api = "Sample",
                versions = {"v1", "v2"})
        void neverRuns() {}
    }

    @Group(value = "unended", traffic = false)
    static class Unended {
        @Case(id = "passes", says = "It passes.", api = "Sample", versions = "v1")
        void passes() {}

        @AfterAll
        static void end() {
            fail("it cannot be taken down");
        }
    }

    @Group(value = "endless", traffic = false)
    static class Endless {
        @Case(id = "1-passes", says = "It passes.", api = "Sample", versions = "v1")
        void passes() {}

        @Case(id = "2-endless", says = "It does not end by itself.", api = "Sample", versions = "v1")
        void endless() throws InterruptedException {
            Thread.sleep(Duration.ofMinutes(2));
        }

        @Case(id = "3-later", says = "It comes later.", api = "Sample", versions = "v1")
        void later() {}
    }
}
