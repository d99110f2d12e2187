package dev.tulle.conformance.bench;

import dev.tulle.conformance.mesh.Program;
import dev.tulle.conformance.mesh.RawConnection;
import dev.tulle.conformance.mesh.SidecarPair;
import dev.tulle.conformance.repository.Repository;
import dev.tulle.proxy.model.Protocol;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Measures sidecars as they are installed: time to the first request and memory of one, and what two of them cost on the way of a
 * request, in rounds that alternate with the direct path.
 *
 * <p>Everything runs on this machine, so load generator, application and proxies share its processors: ratios say more than
 * rates. Usage: {@code Bench <work folder> <seconds> <rounds> <starts> <json file>}.
 */
public final class Bench {
    private static final Duration START_BOUND = Duration.ofSeconds(60);
    private static final Duration IDLE = Duration.ofSeconds(6);
    private static final int CONNECTIONS = 32;
    private static final Pattern WRK_RATE = Pattern.compile("Requests/sec:\\s+([0-9.]+)");
    private static final Pattern WRK_COUNT = Pattern.compile("([0-9]+) requests in");
    private static final Pattern WRK_P99 = Pattern.compile("99%\\s+([0-9.]+)(us|ms|s)");
    private static final Pattern H2LOAD_COUNT =
            Pattern.compile("([0-9]+) succeeded, ([0-9]+) failed, ([0-9]+) errored");
    private static final Pattern H2LOAD_RATE = Pattern.compile("finished in [0-9.]+\\w+, ([0-9.]+) req/s");

    private final Path folder;
    private final int seconds;
    private final int rounds;
    private final int starts;
    private final PrintStream progress = System.err;

    private Bench(Path folder, int seconds, int rounds, int starts) {
        this.folder = folder;
        this.seconds = seconds;
        this.rounds = rounds;
        this.starts = starts;
    }

    /**
     * One way of starting a sidecar.
     *
     * @param environment for {@code install/tulle}
     */
    private record Mode(String name, Map<String, String> environment) {}

    /** Runs all of it and prints the table. */
    public static void main(String[] args) throws Exception {
        Bench bench = new Bench(
                Path.of(args[0]), Integer.parseInt(args[1]), Integer.parseInt(args[2]), Integer.parseInt(args[3]));
        Results results = new Results(Machine.describe(), new ArrayList<>(), new ArrayList<>());
        try (Program origin = Program.start(
                bench.folder,
                "origin",
                Program.javaFromClassPath(
                        List.of("-Xmx64m", "-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED"),
                        entry -> true,
                        BenchOrigin.class.getName(),
                        List.of()))) {
            origin.awaitThat("listening", START_BOUND, () -> origin.log().contains("\n"));
            int[] ports = Arrays.stream(origin.log().lines().toList().getLast().split(" "))
                    .mapToInt(Integer::parseInt)
                    .toArray();
            List<Mode> modes = bench.modes(ports[0]);
            for (Mode mode : modes) {
                results.starts().add(bench.measureStart(mode, ports[0]));
            }
            Mode fastest = modes.getLast();
            results.paths().add(bench.http1(fastest, ports[0]));
            results.paths().add(bench.http2(fastest, ports[1]));
            results.paths().add(bench.grpc(fastest, ports[1]));
            results.paths().add(bench.tcp(fastest, ports[2]));
        }
        Files.writeString(Path.of(args[4]), results.json());
        System.out.print(results.markdown());
    }

    /** The ways of starting that this JDK has; archives are trained here, under a little load. */
    private List<Mode> modes(int port) throws IOException {
        String none = folder.resolve("none.aot").toString();
        List<Mode> modes = new ArrayList<>();
        modes.add(
                new Mode("no class archive", Map.of("TULLE_PROXY_AOT_CACHE", none, "TULLE_JAVA_OPTS", "-Xshare:off")));
        modes.add(new Mode("the JDK's class archive", Map.of("TULLE_PROXY_AOT_CACHE", none)));
        Path cds = folder.resolve("sidecar.jsa");
        train(port, Map.of("TULLE_PROXY_AOT_CACHE", none, "TULLE_JAVA_OPTS", "-XX:ArchiveClassesAtExit=" + cds));
        modes.add(new Mode(
                "class data sharing (CDS)",
                Map.of("TULLE_PROXY_AOT_CACHE", none, "TULLE_JAVA_OPTS", "-XX:SharedArchiveFile=" + cds)));
        if (Runtime.version().feature() >= 25) {
            Path aot = folder.resolve("sidecar.aot");
            train(port, Map.of("TULLE_PROXY_AOT_CACHE", none, "TULLE_JAVA_OPTS", "-XX:AOTCacheOutput=" + aot));
            modes.add(new Mode(
                    "AOT cache, C1 only",
                    Map.of("TULLE_PROXY_AOT_CACHE", aot.toString(), "TULLE_JAVA_OPTS", "-XX:TieredStopAtLevel=1")));
            modes.add(new Mode("AOT cache", Map.of("TULLE_PROXY_AOT_CACHE", aot.toString())));
        } else {
            progress.println("bench: this JDK has no AOT cache (25 has); left out");
        }
        return modes;
    }

    /** Runs a pair under load; only the caller's side writes the archive. */
    private void train(int port, Map<String, String> environment) throws IOException {
        progress.println("bench: training " + environment.get("TULLE_JAVA_OPTS"));
        try (SidecarPair pair = SidecarPair.installed(newFolder("train"), Protocol.HTTP, port, environment, Map.of())) {
            run("wrk", "-t1", "-c8", "-d3", url(pair.outboundPort()));
            pair.client().program().terminate();
            pair.client().program().awaitEnd(START_BOUND);
        }
    }

    /** Time from the start of the process to its first answered request, and what it holds when idle afterwards. */
    private Results.Start measureStart(Mode mode, int port) throws IOException, InterruptedException {
        List<Double> times = new ArrayList<>();
        List<Double> resident = new ArrayList<>();
        List<Double> proportional = new ArrayList<>();
        try (SidecarPair pair = SidecarPair.installed(newFolder("start"), Protocol.HTTP, port, Map.of(), Map.of())) {
            pair.client().program().close();
            for (int i = 0; i < starts; i++) {
                long begin = System.nanoTime();
                try (Program client = pair.restartClient(mode.environment())) {
                    while (!answers(pair.outboundPort())) {
                        if (!client.isAlive() || System.nanoTime() - begin > START_BOUND.toNanos()) {
                            throw new IllegalStateException("the sidecar did not come up: " + client.log());
                        }
                        Thread.sleep(2);
                    }
                    times.add((System.nanoTime() - begin) / 1e9);
                    Thread.sleep(IDLE.toMillis());
                    resident.add(client.residentBytes() / 1e6);
                    proportional.add(Machine.proportionalBytes(client.pid()) / 1e6);
                }
            }
        }
        Results.Start result = new Results.Start(mode.name(), median(times), median(resident), median(proportional));
        progress.println("bench: " + result);
        return result;
    }

    private Results.Path http1(Mode mode, int port) throws IOException {
        String[] command = {"wrk", "-t1", "-c" + CONNECTIONS, "-d" + seconds, "--latency"};
        return compare("HTTP/1.1, keep-alive, 1 KiB", "requests/s", Protocol.HTTP, mode, port, at -> {
            String said = run(append(command, url(at)));
            if (said.contains("Non-2xx") || said.contains("Socket errors")) {
                progress.println("bench: wrk saw errors: " + said);
            }
            return new Round(number(WRK_RATE, said, 1), number(WRK_COUNT, said, 1), Optional.of(milliseconds(said)));
        });
    }

    private Results.Path http2(Mode mode, int port) throws IOException {
        return compare("HTTP/2, 1 KiB", "requests/s", Protocol.HTTP, mode, port, at -> h2load(at));
    }

    private Results.Path grpc(Mode mode, int port) throws IOException {
        Path message = Files.write(folder.resolve("message"), new byte[] {0, 0, 0, 0, 3, 'a', 'b', 'c'});
        return compare(
                "gRPC-like: HTTP/2 POST with a message, 1 KiB and trailers back",
                "requests/s",
                Protocol.GRPC,
                mode,
                port,
                at -> h2load(
                        at, "-d", message.toString(), "-H", "content-type: application/grpc", "-H", "te: trailers"));
    }

    private Round h2load(int port, String... more) throws IOException {
        List<String> command = new ArrayList<>(List.of("h2load", "-c4", "-m16", "-D" + seconds));
        command.addAll(List.of(more));
        command.add(url(port));
        String said = run(command.toArray(String[]::new));
        if (number(H2LOAD_COUNT, said, 2) + number(H2LOAD_COUNT, said, 3) > 0) {
            progress.println("bench: h2load saw failures: " + said);
        }
        return new Round(number(H2LOAD_RATE, said, 1), number(H2LOAD_COUNT, said, 1), Optional.empty());
    }

    private Results.Path tcp(Mode mode, int port) throws IOException {
        return compare("opaque TCP, one connection, upload", "MB/s", Protocol.TCP, mode, port, this::push);
    }

    private Round push(int port) throws IOException {
        byte[] block = new byte[128 << 10];
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        long bytes = 0;
        long begin = System.nanoTime();
        try (Socket socket = RawConnection.dial(port)) {
            OutputStream out = socket.getOutputStream();
            while (System.nanoTime() < end) {
                out.write(block);
                bytes += block.length;
            }
        }
        return new Round(bytes / 1e6 / ((System.nanoTime() - begin) / 1e9), bytes / 1e6, Optional.empty());
    }

    /**
     * One measured stretch.
     *
     * @param amount requests, or MB
     * @param p99Millis where the load generator tells it
     */
    private record Round(double rate, double amount, Optional<Double> p99Millis) {}

    private interface Load {
        Round run(int port) throws IOException;
    }

    /** Direct and meshed rounds in turn, after a warm-up. */
    private Results.Path compare(String name, String unit, Protocol protocol, Mode mode, int port, Load load)
            throws IOException {
        List<Double> direct = new ArrayList<>();
        List<Double> meshed = new ArrayList<>();
        List<Double> cost = new ArrayList<>();
        List<Double> directP99 = new ArrayList<>();
        List<Double> meshedP99 = new ArrayList<>();
        try (SidecarPair pair =
                SidecarPair.installed(newFolder("path"), protocol, port, mode.environment(), mode.environment())) {
            load.run(pair.outboundPort());
            for (int i = 0; i < rounds; i++) {
                Round straight = load.run(port);
                direct.add(straight.rate());
                straight.p99Millis().ifPresent(directP99::add);
                double before = pair.processorSeconds();
                Round through = load.run(pair.outboundPort());
                meshed.add(through.rate());
                cost.add((pair.processorSeconds() - before) * 1e6 / through.amount());
                through.p99Millis().ifPresent(meshedP99::add);
            }
        }
        Results.Path result = new Results.Path(
                name, unit, median(direct), median(meshed), median(cost), median(directP99), median(meshedP99));
        progress.println("bench: " + result);
        return result;
    }

    private Path newFolder(String prefix) throws IOException {
        return Files.createTempDirectory(folder, prefix);
    }

    private static boolean answers(int port) {
        try (RawConnection connection = RawConnection.to(port)) {
            connection.send("GET / HTTP/1.1\r\nhost: catalog\r\nconnection: close\r\n\r\n");
            return connection.readToEnd(Duration.ofSeconds(5)).status() == 200;
        } catch (IOException e) {
            return false;
        }
    }

    private static String url(int port) {
        return "http://127.0.0.1:" + port + "/";
    }

    private static String[] append(String[] command, String last) {
        String[] longer = Arrays.copyOf(command, command.length + 1);
        longer[command.length] = last;
        return longer;
    }

    private String run(String... command) throws IOException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            if (!process.waitFor(seconds + 60L, TimeUnit.SECONDS) || process.exitValue() != 0) {
                process.destroyForcibly();
                throw new IllegalStateException(String.join(" ", command) + " failed: " + said);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
        return said;
    }

    private static double number(Pattern pattern, String said, int group) {
        Matcher matcher = pattern.matcher(said);
        if (!matcher.find()) {
            throw new IllegalStateException("no '%s' in: %s".formatted(pattern, said));
        }
        return Double.parseDouble(matcher.group(group));
    }

    private static double milliseconds(String said) {
        Matcher matcher = WRK_P99.matcher(said);
        if (!matcher.find()) {
            throw new IllegalStateException("no p99 in: " + said);
        }
        double value = Double.parseDouble(matcher.group(1));
        return switch (matcher.group(2)) {
            case "us" -> value / 1000;
            case "s" -> value * 1000;
            default -> value;
        };
    }

    private static double median(List<Double> values) {
        if (values.isEmpty()) {
            return Double.NaN;
        }
        List<Double> sorted = values.stream().sorted().toList();
        return sorted.get(sorted.size() / 2);
    }

    /** What it was measured on. */
    private static final class Machine {
        private static final Pattern PSS = Pattern.compile("(?m)^Pss:\\s+([0-9]+) kB");

        private Machine() {}

        static Map<String, String> describe() {
            String cpu = Repository.text(Path.of("/proc/cpuinfo"))
                    .lines()
                    .filter(line -> line.startsWith("model name"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElse(System.getProperty("os.arch"));
            String memory = Repository.text(Path.of("/proc/meminfo"))
                    .lines()
                    .findFirst()
                    .orElse("")
                    .replaceAll("\\D", "");
            return new TreeMap<>(Map.of(
                    "processor", cpu,
                    "processors", String.valueOf(Runtime.getRuntime().availableProcessors()),
                    "memoryGiB", String.valueOf(Long.parseLong(memory) >> 20),
                    "kernel", System.getProperty("os.version"),
                    "java", System.getProperty("java.vendor.version") + " " + Runtime.version()));
        }

        /** Memory with shared pages divided among those who share them; 0 where the kernel does not tell. */
        static long proportionalBytes(long pid) {
            try {
                Matcher matcher = PSS.matcher(Repository.text(Path.of("/proc/%d/smaps_rollup".formatted(pid))));
                return matcher.find() ? Long.parseLong(matcher.group(1)) << 10 : 0;
            } catch (UncheckedIOException e) {
                return 0;
            }
        }
    }
}
