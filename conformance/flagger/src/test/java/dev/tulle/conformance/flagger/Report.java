package dev.tulle.conformance.flagger;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;

/** One line for each canary, as a table; printed and kept in {@code target/flagger.md}. Safe for use by many threads. */
final class Report {
    private record Key(Scenario scenario, Provider provider) implements Comparable<Key> {
        @Override
        public int compareTo(Key other) {
            int byScenario = scenario.compareTo(other.scenario);
            return byScenario != 0 ? byScenario : provider.compareTo(other.provider);
        }
    }

    private final Map<Key, String> lines = new ConcurrentSkipListMap<>();

    /**
     * A canary did as it should.
     *
     * @param seconds from the new version to the end
     * @param sent requests of users in that time
     * @param hurt of these, failed or slow
     * @param shares what the canary received at each weight
     */
    void passed(Provider provider, Scenario scenario, long seconds, int sent, int hurt, String shares) {
        put(
                provider,
                scenario,
                "%s | %d s | %d of %d (%.2f %%) | %s"
                        .formatted(scenario.end, seconds, hurt, sent, 100.0 * hurt / sent, shares));
    }

    void failed(Provider provider, Scenario scenario, Throwable why) {
        put(
                provider,
                scenario,
                "**not as it should**: %s | | |"
                        .formatted(String.valueOf(why.getMessage())
                                .strip()
                                .lines()
                                .findFirst()
                                .orElse("")));
    }

    private void put(Provider provider, Scenario scenario, String cells) {
        lines.put(new Key(scenario, provider), "| %s | `%s` | %s |".formatted(scenario.word(), provider.word, cells));
    }

    void write() {
        String text = """
                | scenario | provider | ended | after | failed or slow requests of users | at weight: share that the canary's pods received |
                |---|---|---|---|---|---|
                %s
                """.formatted(String.join("\n", lines.values()));
        System.out.println(text);
        try {
            Files.createDirectories(Path.of("target"));
            Files.writeString(Path.of("target/flagger.md"), text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
