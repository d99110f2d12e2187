package dev.tulle.conformance.bench;

import dev.tulle.conformance.mesh.Program;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/** Measures proxies beside one another, in rounds that take turns; started by {@code conformance/bench/run}, whose help says how. */
public final class Bench implements AutoCloseable {
    private static final Duration START_BOUND = Duration.ofSeconds(60);
    private static final Duration WARM_UP_BOUND = Duration.ofSeconds(40);
    private static final Pattern ORIGIN_PORTS = Pattern.compile("(?m)^([0-9]+ [0-9]+ [0-9]+)$");
    private static final String DIRECT = "direct";

    private final Options options;
    private final Running.Place place;
    private final Results results = new Results();
    private final Program origin;
    private final Map<Traffic, Integer> originPorts;
    private final PrintStream progress = System.err;

    private Bench(Options options) {
        this.options = options;
        this.place = new Running.Place(options.folder(), options.pinned());
        origin = Program.start(
                options.folder(),
                "origin",
                Program.javaFromClassPath(
                        List.of("-Xmx64m", "-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED"),
                        entry -> true,
                        BenchOrigin.class.getName(),
                        List.of()));
        origin.awaitThat(
                "listening",
                START_BOUND,
                () -> ORIGIN_PORTS.matcher(origin.log()).find());
        String[] ports = Shell.first(origin.log(), ORIGIN_PORTS.pattern()).split(" ");
        originPorts = Map.of(
                Traffic.HTTP1, Integer.parseInt(ports[0]),
                Traffic.HTTP2, Integer.parseInt(ports[1]),
                Traffic.GRPC, Integer.parseInt(ports[1]),
                Traffic.TCP, Integer.parseInt(ports[2]));
    }

    /** Runs what the options say and prints the table or the JSON. */
    public static void main(String[] args) throws IOException {
        Options options;
        try {
            options = Options.parse(List.of(args));
        } catch (IllegalArgumentException e) {
            System.err.println("bench: " + e.getMessage() + "; see --help");
            System.exit(2);
            return;
        }
        for (Subject subject : options.subjects()) {
            Optional<String> missing = subject.missing();
            if (missing.isPresent()) {
                System.err.println("bench: " + missing.get());
                System.exit(2);
            }
        }
        try (Bench bench = new Bench(options)) {
            bench.run();
        }
    }

    private void run() throws IOException {
        if (options.measures("http1")) {
            saturate(Traffic.HTTP1, Measure.HTTP1_RATE, Measure.HTTP1_CPU, ForeignLoad.wrk());
        }
        if (options.measures("http2")) {
            saturate(Traffic.HTTP2, Measure.HTTP2_RATE, Measure.HTTP2_CPU, ForeignLoad.h2load());
        }
        if (options.measures("grpc")) {
            saturate(Traffic.GRPC, Measure.GRPC_RATE, Measure.GRPC_CPU, ForeignLoad.grpc(options.folder()));
        }
        System.out.print(Report.markdown(results, options.subjects()));
    }

    /** As many requests as get through: their rate, and the processor time of both proxies for each. */
    private void saturate(Traffic traffic, Measure rate, Measure cpu, Load load) throws IOException {
        inTurn(traffic, true, running -> warm(running, load), (name, running) -> {
            double before = running.processorSeconds();
            Load.Done done = load.run(running.port(), options.seconds());
            double spent = running.processorSeconds() - before;
            if (done.failed() > 0) {
                progress.println(
                        "bench: %s: %.0f of %.0f requests failed".formatted(name, done.failed(), done.amount()));
            }
            results.add(rate, name, done.perSecond());
            if (!name.equals(DIRECT)) {
                results.add(cpu, name, spent * 1e6 / done.amount());
            }
            say(rate, name);
        });
    }

    /** By requests rather than by time: a JIT compiler counts, and a busy machine is slow. */
    private void warm(Running running, Load load) throws IOException {
        double requests = 0;
        long end = System.nanoTime() + WARM_UP_BOUND.toNanos();
        while (requests < options.warmUpRequests() && System.nanoTime() < end) {
            requests += load.run(running.port(), 2).amount();
        }
    }

    private interface Warming {
        void run(Running running) throws IOException;
    }

    private interface Round {
        void run(String subject, Running running) throws IOException;
    }

    /** Starts every subject, warms each, then goes round and round: one stretch of each subject in every round. */
    private void inTurn(Traffic traffic, boolean resume, Warming warming, Round round) throws IOException {
        Map<String, Running> all = new LinkedHashMap<>();
        try {
            if (options.direct()) {
                all.put(DIRECT, Running.direct(originPort(traffic)));
            }
            for (Subject subject : options.subjects()) {
                Running running = Running.start(
                        subject,
                        place,
                        traffic,
                        originPort(subject, traffic),
                        resume,
                        port -> Probe.answers(traffic, port));
                all.put(subject.name(), running);
                warming.run(running);
            }
            for (int i = 0; i < options.rounds(); i++) {
                for (Map.Entry<String, Running> entry : all.entrySet()) {
                    round.run(entry.getKey(), entry.getValue());
                }
            }
        } finally {
            all.values().forEach(Running::close);
        }
    }

    private int originPort(Traffic traffic) {
        return originPorts.getOrDefault(traffic, 0);
    }

    /** nginx calls by HTTP/1.1. */
    private int originPort(Subject subject, Traffic traffic) {
        return originPort(subject instanceof Nginx && traffic == Traffic.HTTP2 ? Traffic.HTTP1 : traffic);
    }

    private void say(Measure measure, String subject) {
        List<String> parts = new ArrayList<>();
        results.of(measure, subject)
                .ifPresent(
                        spread -> parts.add("%.0f %s".formatted(spread.rounds().getLast(), measure.unit)));
        progress.println("bench: %s %s %s".formatted(measure.workload, subject, String.join(", ", parts)));
    }

    @Override
    public void close() {
        origin.close();
    }
}
