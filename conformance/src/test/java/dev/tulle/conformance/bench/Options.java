package dev.tulle.conformance.bench;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What to measure and for how long.
 *
 * @param folder for everything that is written while it runs
 * @param direct whether the way without proxies is measured too
 * @param workloads those wanted, as in {@link Measure#workload}
 * @param pinned what stands before a proxy's command
 * @param json whether the results are printed as JSON
 * @param record where the results are kept
 */
record Options(
        Path folder,
        boolean direct,
        List<Subject> subjects,
        List<String> workloads,
        Effort effort,
        List<String> pinned,
        boolean json,
        Optional<Path> record) {
    private static final List<String> SUBJECTS =
            Stream.of(Subject.Known.values()).map(known -> known.id).toList();
    private static final List<String> WORKLOADS = Stream.of(Measure.values())
            .map(measure -> measure.workload)
            .distinct()
            .toList();

    /**
     * How much of everything.
     *
     * @param smoke whether it only has to work: what is missing is left out, and load of ours stands in for that of others
     * @param seconds of a stretch of load
     * @param warmUpRequests before the first round, for a subject that compiles while it runs; others get a tenth
     * @param warmUpConnections the same for new connections
     * @param warmUpBound for either
     * @param coldSeconds after start, at the fixed rate
     * @param starts of the proxy beside the caller
     * @param quiet before memory is read
     */
    record Effort(
            boolean smoke,
            int rounds,
            int seconds,
            int warmUpRequests,
            int warmUpConnections,
            Duration warmUpBound,
            int coldSeconds,
            int idleConnections,
            int starts,
            Duration quiet) {
        static final Effort FULL =
                new Effort(false, 3, 3, 150_000, 20_000, Duration.ofSeconds(30), 10, 5_000, 5, Duration.ofSeconds(3));
        static final Effort SHORT =
                new Effort(false, 3, 2, 40_000, 3_000, Duration.ofSeconds(20), 10, 5_000, 3, Duration.ofSeconds(3));
        static final Effort SMOKE =
                new Effort(true, 1, 1, 200, 50, Duration.ofSeconds(5), 2, 200, 1, Duration.ofMillis(200));
    }

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
        Path nativeProgram = Path.of("tulle-sidecar");
        List<String> subjects = List.of("direct", "tulle", "envoy", "haproxy", "nginx");
        List<String> workloads = WORKLOADS;
        Effort effort = Effort.FULL;
        List<String> pinned = List.of();
        boolean json = false;
        Optional<Path> record = Optional.empty();
        for (int i = 0; i < arguments.size(); i++) {
            String argument = arguments.get(i);
            switch (argument) {
                case "--short" -> effort = Effort.SHORT;
                case "--smoke" -> effort = Effort.SMOKE;
                case "--folder" -> folder = Path.of(value(arguments, ++i));
                case "--envoy" -> envoy = Path.of(value(arguments, ++i));
                case "--native" -> nativeProgram = Path.of(value(arguments, ++i));
                case "--record" -> record = Optional.of(Path.of(value(arguments, ++i)));
                case "--subjects" -> subjects = list(argument, value(arguments, ++i), SUBJECTS);
                case "--workloads" -> workloads = list(argument, value(arguments, ++i), WORKLOADS);
                case "--pin" -> pinned = List.of("taskset", "-c", value(arguments, ++i));
                case "-o" ->
                    json = list("-o", value(arguments, ++i), List.of("table", "json"))
                            .contains("json");
                default -> throw new IllegalArgumentException("unknown argument '%s'".formatted(argument));
            }
        }
        if (record.isPresent() && (effort.smoke() || !workloads.containsAll(WORKLOADS))) {
            throw new IllegalArgumentException("--record keeps runs of everything only: no --smoke or --workloads");
        }
        List<Subject> proxies = new ArrayList<>();
        for (String subject : subjects) {
            switch (subject) {
                case "tulle" -> proxies.add(new Tulle(Optional.empty()));
                case "tulle-native" -> proxies.add(new Tulle(Optional.of(nativeProgram)));
                case "envoy" -> proxies.add(new Envoy(envoy));
                case "haproxy" -> proxies.add(new HaProxy());
                case "nginx" -> proxies.add(new Nginx());
                default -> {
                    // No proxy.
                }
            }
        }
        return new Options(
                folder, subjects.contains("direct"), List.copyOf(proxies), workloads, effort, pinned, json, record);
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
                        "%s knows no '%s', only %s".formatted(option, name, String.join(", ", known)));
            }
        }
        return names;
    }
}
