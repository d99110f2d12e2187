package dev.tulle.conformance.bench;

import dev.tulle.conformance.bench.Subject.Known;
import dev.tulle.conformance.mesh.Program;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntPredicate;
import java.util.regex.Pattern;

/** Measures proxies beside one another, in rounds that take turns; started by {@code conformance/bench/run}, whose help says how. */
public final class Bench implements AutoCloseable {
    private static final Duration START_BOUND = Duration.ofSeconds(60);
    private static final Pattern ORIGIN_PORTS = Pattern.compile("(?m)^([0-9]+ [0-9]+ [0-9]+)$");
    private static final int RATE = 1_000;
    private static final int RATE_SECONDS = 4;
    private static final int IDLE_FOR_CPU = 1_000;
    private static final double MIB = 1 << 20;

    private final Options options;
    private final Options.Effort effort;
    private final List<Subject> subjects;
    private final Running.Place place;
    private final Results results = new Results();
    private final Program origin;
    private final Map<Traffic, Integer> originPorts;
    private final PrintStream progress = System.err;

    private Bench(Options options, List<Subject> subjects) {
        this.options = options;
        this.effort = options.effort();
        this.subjects = subjects;
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
        String[] ports = Shell.first(origin.log(), ORIGIN_PORTS.pattern()).split(" ", -1);
        originPorts = Map.of(
                Traffic.HTTP1, Integer.parseInt(ports[0]),
                Traffic.HTTP2, Integer.parseInt(ports[1]),
                Traffic.GRPC, Integer.parseInt(ports[1]),
                Traffic.TCP, Integer.parseInt(ports[2]));
    }

    /** Runs what the options say; prints the table or the JSON, and keeps them. */
    public static void main(String[] args) throws IOException {
        Options options;
        try {
            options = Options.parse(List.of(args));
        } catch (IllegalArgumentException e) {
            System.err.println("bench: " + e.getMessage() + "; see --help");
            System.exit(2);
            return;
        }
        List<Subject> there = new ArrayList<>();
        List<String> missing = new ArrayList<>(ForeignLoad.missing(options));
        for (Subject subject : options.subjects()) {
            subject.missing().ifPresentOrElse(missing::add, () -> there.add(subject));
        }
        missing.forEach(sentence -> System.err.println("bench: " + sentence));
        if (!missing.isEmpty() && !options.effort().smoke()) {
            System.err.println("bench: conformance/bench/run --install gets what is missing");
            System.exit(2);
        }
        try (Bench bench = new Bench(options, there)) {
            missing.forEach(sentence -> bench.results.note("Left out: " + sentence + "."));
            bench.measure();
            Report report = new Report(bench.results, options, there);
            System.out.print(options.json() ? report.json() : report.markdown());
            Files.writeString(options.folder().resolve("results.json"), report.json());
            if (options.record().isPresent()) {
                report.keep(options.record().get());
            }
        }
    }

    private void measure() throws IOException {
        if (options.pinned().isEmpty()) {
            results.note("Nothing was pinned to a processor.");
        }
        if (options.measures("start")) {
            starts();
        }
        if (options.measures("http1")) {
            saturate(Traffic.HTTP1, Measure.HTTP1_RATE, Measure.HTTP1_CPU, ForeignLoad.http1(effort.smoke()));
        }
        if (options.measures("http2")) {
            saturate(Traffic.HTTP2, Measure.HTTP2_RATE, Measure.HTTP2_CPU, ForeignLoad.http2(effort.smoke()));
        }
        if (options.measures("grpc")) {
            saturate(
                    Traffic.GRPC,
                    Measure.GRPC_RATE,
                    Measure.GRPC_CPU,
                    ForeignLoad.grpc(effort.smoke(), options.folder()));
        }
        if (options.measures("tcp")) {
            saturate(Traffic.TCP, Measure.TCP_RATE, Measure.TCP_CPU, OwnLoad.upload());
        }
        if (options.measures("connections")) {
            connections(false, Measure.FULL_CPU);
            connections(true, Measure.RESUMED_CPU);
        }
        if (options.measures("latency")) {
            latency();
        }
        if (options.measures("idle")) {
            idle();
        }
    }

    /** As much as gets through: its rate, and the processor time of both proxies for each request or MB. */
    private void saturate(Traffic traffic, Measure rate, Measure cpu, Load load) throws IOException {
        Map<Known, Running> all = new LinkedHashMap<>();
        try {
            startDirect(traffic, all);
            for (Subject subject : subjects) {
                Running running = start(subject, traffic, true);
                all.put(subject.known(), running);
                warm(subject.known(), running, load, traffic == Traffic.TCP ? 5_000 : effort.warmUpRequests());
            }
            for (int i = 0; i < effort.rounds(); i++) {
                for (Map.Entry<Known, Running> entry : all.entrySet()) {
                    spend(entry.getKey(), entry.getValue(), load, rate, cpu);
                }
            }
            if (traffic == Traffic.HTTP1) {
                for (Map.Entry<Known, Running> entry : all.entrySet()) {
                    if (entry.getKey() != Known.DIRECT) {
                        memoryUnder(load, entry.getKey(), entry.getValue());
                    }
                }
            }
        } finally {
            all.values().forEach(Running::close);
        }
    }

    /** Memory while requests are on their way, after all the rounds before. */
    private void memoryUnder(Load load, Known subject, Running running) {
        Thread asking = Thread.ofPlatform().daemon().start(() -> {
            try {
                load.run(running.port(), effort.seconds());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        Threads.sleep(Duration.ofMillis(600L * effort.seconds()));
        memory(subject, running, Measure.MEMORY_LOAD, Measure.SHARE_LOAD);
        Threads.join(asking);
    }

    private void spend(Known subject, Running running, Load load, Measure rate, Measure cpu) throws IOException {
        double before = running.processorSeconds();
        Load.Done done = load.run(running.port(), effort.seconds());
        double spent = running.processorSeconds() - before;
        check(subject, cpu, done);
        add(rate, subject, done.perSecond());
        if (subject != Known.DIRECT) {
            add(cpu, subject, spent * 1e6 / done.amount());
        }
    }

    /** New TCP connections, each of which makes the proxies open one between them, with a full handshake or a resumed one. */
    private void connections(boolean resume, Measure cpu) throws IOException {
        Load load = OwnLoad.connections();
        Map<Known, Running> all = new LinkedHashMap<>();
        try {
            for (Subject subject : subjects) {
                lookAtHandshake(subject, resume);
                Running running = start(subject, Traffic.TCP, resume);
                all.put(subject.known(), running);
                warm(subject.known(), running, load, effort.warmUpConnections());
            }
            for (int i = 0; i < effort.rounds(); i++) {
                for (Map.Entry<Known, Running> entry : all.entrySet()) {
                    double before = entry.getValue().processorSeconds();
                    Load.Done done = load.run(entry.getValue().port(), effort.seconds());
                    double spent = entry.getValue().processorSeconds() - before;
                    check(entry.getKey(), cpu, done);
                    add(cpu, entry.getKey(), spent * 1e6 / done.amount());
                }
            }
        } finally {
            all.values().forEach(Running::close);
        }
    }

    /** So that nobody has to believe that a session was resumed, or was not: looks at the third handshake of a pair. */
    private void lookAtHandshake(Subject subject, boolean resume) throws IOException {
        try (Tap tap = new Tap();
                Running running = Running.start(
                        subject,
                        place,
                        Traffic.TCP,
                        originPort(Traffic.TCP),
                        resume,
                        answers(Traffic.TCP),
                        Optional.of(tap))) {
            for (int i = 0; i < 3; i++) {
                Probe.tcp(running.port()).close();
                Threads.sleep(Duration.ofMillis(20));
            }
            Tap.Hello hello = tap.last();
            results.note("%s exchanges keys by %s.".formatted(subject.known().title, hello.groupName()));
            if (hello.resumed() != resume) {
                results.note("%s %s: do not trust its figure."
                        .formatted(
                                subject.known().title,
                                resume ? "did not resume its sessions" : "resumed sessions though it was told not to"));
            }
        }
    }

    /** Times at a fixed rate: right after the start, and warm. */
    private void latency() throws IOException {
        Map<Known, Running> all = new LinkedHashMap<>();
        try {
            startDirect(Traffic.HTTP1, all);
            for (Subject subject : subjects) {
                Running running = start(subject, Traffic.HTTP1, true);
                all.put(subject.known(), running);
                FixedRate.Seen cold = atFixedRate(subject.known(), running, effort.coldSeconds());
                add(Measure.COLD_P99, subject.known(), cold.percentileMicros(0.99) / 1e3);
            }
            for (Map.Entry<Known, Running> entry : all.entrySet()) {
                warm(entry.getKey(), entry.getValue(), ForeignLoad.http1(effort.smoke()), effort.warmUpRequests());
            }
            int seconds = effort.smoke() ? effort.seconds() : RATE_SECONDS;
            for (int i = 0; i < effort.rounds(); i++) {
                double direct = Double.NaN;
                for (Map.Entry<Known, Running> entry : all.entrySet()) {
                    FixedRate.Seen seen = atFixedRate(entry.getKey(), entry.getValue(), seconds);
                    double median = seen.percentileMicros(0.5);
                    add(Measure.WARM_P50, entry.getKey(), median);
                    add(Measure.WARM_P99, entry.getKey(), seen.percentileMicros(0.99) / 1e3);
                    if (entry.getKey() == Known.DIRECT) {
                        direct = median;
                    } else if (!Double.isNaN(direct)) {
                        add(Measure.ADDED_P50, entry.getKey(), median - direct);
                    }
                }
            }
        } finally {
            all.values().forEach(Running::close);
        }
        for (Subject subject : subjects) {
            Optional<Results.Spread> cold = results.of(Measure.COLD_P99, subject.known());
            Optional<Results.Spread> warm = results.of(Measure.WARM_P99, subject.known());
            if (cold.isPresent() && warm.isPresent()) {
                add(
                        Measure.COLD_TO_WARM,
                        subject.known(),
                        cold.get().median() / warm.get().median());
            }
        }
    }

    private FixedRate.Seen atFixedRate(Known subject, Running running, int seconds) {
        FixedRate.Seen seen = FixedRate.run(running.port(), RATE, seconds);
        if (seen.failed() > 0) {
            results.note("%s: %d connections broke at the fixed rate.".formatted(subject.title, seen.failed()));
        }
        return seen;
    }

    /** What connections cost on which nothing moves. */
    private void idle() throws IOException {
        for (Subject subject : subjects) {
            try (Running running = start(subject, Traffic.HTTP1, true);
                    IdleConnections idle = new IdleConnections()) {
                warm(subject.known(), running, OwnLoad.http1(), effort.warmUpRequests() / 20);
                try (IdleConnections first = new IdleConnections()) {
                    first.open(running.port(), effort.idleConnections() / 10);
                }
                Threads.sleep(effort.quiet());
                double memory = running.residentBytesOfOne();
                idle.open(running.port(), Math.min(IDLE_FOR_CPU, effort.idleConnections()));
                Threads.sleep(effort.quiet());
                double before = running.processorSecondsOfLivingThreads();
                Threads.sleep(effort.quiet().multipliedBy(2));
                double spent = running.processorSecondsOfLivingThreads() - before;
                add(
                        Measure.IDLE_CPU,
                        subject.known(),
                        spent * 1e6 / effort.quiet().multipliedBy(2).toMillis());
                idle.open(running.port(), effort.idleConnections());
                Threads.sleep(effort.quiet());
                add(
                        Measure.IDLE_BYTES,
                        subject.known(),
                        2 * (running.residentBytesOfOne() - memory) / 1024 / effort.idleConnections());
                int lost = idle.lost();
                if (lost > 0) {
                    results.note("%s: %d of 100 idle connections were closed.".formatted(subject.known().title, lost));
                }
            }
        }
    }

    /** From the start of the process beside the caller to the first answer that came through it. */
    private void starts() throws IOException {
        for (Subject subject : subjects) {
            try (Running running = start(subject, Traffic.HTTP1, true)) {
                for (int i = 0; i < effort.starts(); i++) {
                    add(Measure.START, subject.known(), running.restartNear(answers(Traffic.HTTP1)));
                }
                Threads.sleep(effort.quiet());
                memory(subject.known(), running, Measure.MEMORY_IDLE, Measure.SHARE_IDLE);
            }
        }
    }

    private void memory(Known subject, Running running, Measure resident, Measure share) {
        add(resident, subject, running.residentBytesOfOne() / MIB);
        add(share, subject, running.proportionalBytesOfOne() / MIB);
    }

    /** By requests rather than by time: a compiler counts them, and a busy machine is slow. */
    private void warm(Known subject, Running running, Load load, int requests) throws IOException {
        double wanted = subject == Known.TULLE ? requests : requests / 10.0;
        long end = System.nanoTime() + effort.warmUpBound().toNanos();
        for (double done = 0; done < wanted && System.nanoTime() < end; ) {
            done += load.run(running.port(), 1).amount();
        }
    }

    private void startDirect(Traffic traffic, Map<Known, Running> all) {
        if (options.direct()) {
            all.put(Known.DIRECT, Running.direct(originPort(traffic)));
        }
    }

    private Running start(Subject subject, Traffic traffic, boolean resume) throws IOException {
        subject.handicap(traffic).ifPresent(results::note);
        // nginx calls by HTTP/1.1.
        Traffic toOrigin = subject instanceof Nginx && traffic == Traffic.HTTP2 ? Traffic.HTTP1 : traffic;
        return Running.start(subject, place, traffic, originPort(toOrigin), resume, answers(traffic));
    }

    private static IntPredicate answers(Traffic traffic) {
        return port -> Probe.answers(traffic, port);
    }

    private int originPort(Traffic traffic) {
        return originPorts.getOrDefault(traffic, 0);
    }

    private void check(Known subject, Measure measure, Load.Done done) {
        if (done.amount() == 0) {
            throw new IllegalStateException("%s: nothing got through (%s)".formatted(subject.title, measure.title));
        }
        if (done.failed() > 0) {
            results.note("%s: %.0f of %.0f failed (%s)."
                    .formatted(subject.title, done.failed(), done.amount() + done.failed(), measure.title));
        }
    }

    private void add(Measure measure, Known subject, double value) {
        results.add(measure, subject, value);
        progress.println(
                "bench: %s, %s: %s %s".formatted(measure.title, subject.title, Report.number(value), measure.unit));
    }

    @Override
    public void close() {
        origin.close();
    }
}
