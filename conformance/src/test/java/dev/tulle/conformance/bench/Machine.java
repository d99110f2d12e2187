package dev.tulle.conformance.bench;

import dev.tulle.conformance.repository.Repository;
import java.io.IOException;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What it was measured on and with, in the order in which it is told. */
final class Machine {
    private Machine() {}

    static Map<String, String> describe(Options options, List<Subject> subjects) throws IOException {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("date", LocalDate.now(ZoneOffset.UTC).toString());
        facts.put(
                "processor",
                Repository.text(Path.of("/proc/cpuinfo"))
                        .lines()
                        .filter(line -> line.startsWith("model name"))
                        .map(line -> line.substring(line.indexOf(':') + 1).strip())
                        .findFirst()
                        .orElse(System.getProperty("os.arch")));
        facts.put("processors", String.valueOf(processors()));
        facts.put("memory", (kibibytes() >> 20) + " GiB");
        facts.put("kernel", "Linux " + System.getProperty("os.version"));
        facts.put("JDK", System.getProperty("java.vendor.version") + " (" + Runtime.version() + ")");
        for (Subject subject : subjects) {
            facts.put(subject.known().title, subject.version());
        }
        if (Shell.has("h2load")) {
            facts.put("h2load", Shell.first(Shell.run("h2load", "--version"), "([0-9]+\\.[0-9.]+)"));
        }
        facts.put(
                "pinned",
                options.pinned().isEmpty()
                        ? "nothing"
                        : "proxies on processor %s, load and application on the others"
                                .formatted(options.pinned().getLast()));
        return facts;
    }

    /** Those there are, not those that this process is held to. */
    private static long processors() {
        return Repository.text(Path.of("/proc/cpuinfo"))
                .lines()
                .filter(line -> line.startsWith("processor"))
                .count();
    }

    private static long kibibytes() {
        return Long.parseLong(Repository.text(Path.of("/proc/meminfo"))
                .lines()
                .findFirst()
                .orElse("0")
                .replaceAll("\\D", ""));
    }
}
