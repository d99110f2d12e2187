package dev.tulle.conformance.bench;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * What to measure and for how long.
 *
 * @param folder for everything that is written
 * @param direct whether the way without proxies is measured too
 * @param workloads those wanted, as in {@link Measure#workload}
 * @param warmUpRequests that go through a subject before the first round
 * @param pinned what stands before a proxy's command
 */
record Options(
        Path folder,
        boolean direct,
        List<Subject> subjects,
        Set<String> workloads,
        int rounds,
        int seconds,
        int warmUpRequests,
        List<String> pinned) {
    private static final List<String> SUBJECTS = List.of("direct", "tulle", "envoy", "haproxy", "nginx");

    boolean measures(String workload) {
        return workloads.contains(workload);
    }

    /**
     * Reads the arguments that {@code conformance/bench/run} passes on.
     *
     * @throws IllegalArgumentException with a sentence for whoever typed it
     */
    static Options parse(List<String> arguments) {
        Path folder = Path.of(".");
        Path envoy = Path.of("envoy");
        List<String> subjects = SUBJECTS;
        Set<String> known = new TreeSet<>();
        for (Measure measure : Measure.values()) {
            known.add(measure.workload);
        }
        Set<String> workloads = known;
        int rounds = 3;
        int seconds = 5;
        int warmUp = 120_000;
        List<String> pinned = List.of();
        for (int i = 0; i < arguments.size(); i++) {
            String argument = arguments.get(i);
            switch (argument) {
                case "--short" -> {
                    rounds = 3;
                    seconds = 2;
                    warmUp = 40_000;
                }
                case "--folder" -> folder = Path.of(value(arguments, ++i));
                case "--envoy" -> envoy = Path.of(value(arguments, ++i));
                case "--subjects" -> subjects = list(argument, value(arguments, ++i), SUBJECTS);
                case "--workloads" -> workloads = Set.copyOf(list(argument, value(arguments, ++i), List.copyOf(known)));
                case "--pin" -> pinned = List.of("taskset", "-c", value(arguments, ++i));
                default -> throw new IllegalArgumentException("unknown argument '%s'".formatted(argument));
            }
        }
        List<Subject> proxies = new ArrayList<>();
        for (String subject : subjects) {
            switch (subject) {
                case "tulle" -> proxies.add(new Tulle("tulle", "Tulle", Map.of()));
                case "envoy" -> proxies.add(new Envoy(envoy));
                case "haproxy" -> proxies.add(new HaProxy());
                case "nginx" -> proxies.add(new Nginx());
                default -> {
                    // No proxy.
                }
            }
        }
        return new Options(
                folder, subjects.contains("direct"), List.copyOf(proxies), workloads, rounds, seconds, warmUp, pinned);
    }

    private static String value(List<String> arguments, int index) {
        if (index >= arguments.size()) {
            throw new IllegalArgumentException("%s needs a value".formatted(arguments.getLast()));
        }
        return arguments.get(index);
    }

    private static List<String> list(String option, String value, List<String> known) {
        List<String> names = Arrays.asList(value.split(","));
        for (String name : names) {
            if (!known.contains(name)) {
                throw new IllegalArgumentException(
                        "%s knows no '%s' but %s".formatted(option, name, String.join(", ", known)));
            }
        }
        return names;
    }
}
