package dev.tulle.quickstart;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tulle.quickstart.Shop.Instance;
import dev.tulle.quickstart.apps.Apps;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** The whole mesh on one machine: a controller, and for each instance of the shop an application and its proxy. */
final class LivingMesh implements AutoCloseable {
    private static final Duration CONTROLLER_START = Duration.ofMinutes(2);
    private static final Duration TOKEN_TIME = Duration.ofSeconds(60);
    private static final Duration PROXIES_START = Duration.ofMinutes(3);
    private static final Duration PAGE_START = Duration.ofMinutes(1);
    private static final Duration LOAD_START = Duration.ofMinutes(2);
    private static final long POLL_MILLIS = 100;
    private static final int LOG_TAIL = 15;

    private static final List<String> APPLICATION_FLAGS = List.of(
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-XX:-UsePerfData",
            "-Xshare:auto",
            "-Xms8m",
            "-Xmx64m",
            "-Dsun.net.httpserver.nodelay=true");

    private final Path top;
    private final WorkFolder folder;
    private final Ports ports;
    private final Processes processes;
    private final Http http = new Http();

    /** Told the name of a process that ended although nobody asked it to. */
    private final Consumer<Ended> ended;

    /** Something did not come up; the message says what and where to look. */
    static final class NotStarted extends Exception {
        NotStarted(String message) {
            super(message);
        }
    }

    /** A process that ended by itself or by a stranger's hand: the controller, the load, or a half of {@code instance}. */
    record Ended(String name, int exitCode) {}

    LivingMesh(Path top, WorkFolder folder, Ports ports, Consumer<Ended> ended) throws IOException {
        this.top = top;
        this.folder = folder;
        this.ports = ports;
        this.ended = ended;
        this.processes = new Processes(folder);
    }

    Http http() {
        return http;
    }

    Ports ports() {
        return ports;
    }

    /** The running mesh's file of that name. */
    Path file(String name) {
        return folder.mesh().resolve(name);
    }

    Processes processes() {
        return processes;
    }

    /** Starts everything and returns when the shop's page is served; {@code progress} is told each stage. */
    void start(Consumer<String> progress) throws IOException, InterruptedException, NotStarted {
        startController();
        for (Instance instance : Shop.INSTANCES) {
            startApplication(instance);
        }
        awaitController();
        progress.accept("the controller is ready");
        makeTokens(Shop.INSTANCES);
        progress.accept("each of %d workloads has a join token".formatted(Shop.INSTANCES.size()));
        for (Instance instance : Shop.INSTANCES) {
            startProxy(instance);
        }
        awaitProxies(Shop.INSTANCES);
        progress.accept("%d proxies have certificates and are ready".formatted(Shop.INSTANCES.size()));
        awaitPage();
        startLoad();
        awaitSteadyLoad();
        progress.accept("the page is served, and %d customers a second look at it".formatted(Apps.LOAD_RATE));
    }

    void startController() throws IOException {
        processes.start(
                "controller",
                "controller",
                List.of(
                        tulle(),
                        "controller",
                        "--dir",
                        folder.mesh().toString(),
                        "--state-dir",
                        folder.state().toString(),
                        "--listen",
                        local(ports.discovery()),
                        "--http",
                        local(ports.http())),
                environment(),
                exitCode -> ended.accept(new Ended("controller", exitCode)));
    }

    void awaitController() throws InterruptedException, NotStarted {
        await(
                CONTROLLER_START,
                "controller",
                "the controller is not ready",
                () -> http.get(ports.http(), "/readyz", Map.of()).statusCode() == 200);
    }

    /** Makes a join token for each of {@code instances}, two at a time: each is a program that starts and ends. */
    void makeTokens(List<Instance> instances) throws IOException, InterruptedException, NotStarted {
        List<Instance> left = new ArrayList<>(instances);
        while (!left.isEmpty()) {
            List<Instance> batch = List.copyOf(left.subList(0, Math.min(2, left.size())));
            left.removeAll(batch);
            Map<Instance, Process> running = new HashMap<>();
            for (Instance instance : batch) {
                ProcessBuilder builder = new ProcessBuilder(
                                tulle(),
                                "token",
                                instance.workload(),
                                "--state-dir",
                                folder.state().toString())
                        .redirectOutput(token(instance).toFile())
                        .redirectError(processes.log("token-" + instance.name()).toFile());
                builder.environment().putAll(environment());
                running.put(instance, builder.start());
            }
            for (Map.Entry<Instance, Process> one : running.entrySet()) {
                if (!one.getValue().waitFor(TOKEN_TIME.toSeconds(), TimeUnit.SECONDS)) {
                    running.values().forEach(Process::destroyForcibly);
                    throw new NotStarted("'tulle token %s' took longer than %d s"
                            .formatted(one.getKey().workload(), TOKEN_TIME.toSeconds()));
                }
                if (one.getValue().exitValue() != 0) {
                    throw notStarted(
                            "'tulle token %s' failed".formatted(one.getKey().workload()),
                            "token-" + one.getKey().name());
                }
            }
        }
    }

    void startApplication(Instance instance) throws IOException {
        List<String> command = application(instance.app());
        command.addAll(List.of("--instance", instance.name(), "--control", Integer.toString(ports.control(instance))));
        if (!instance.version().isEmpty()) {
            command.addAll(List.of("--version", instance.version()));
        }
        if (instance.serves()) {
            command.addAll(List.of("--port", Integer.toString(ports.application(instance))));
        }
        instance.calls()
                .forEach((called, port) -> command.addAll(List.of("--call", called + "=" + local(ports.here(port)))));
        String name = applicationOf(instance);
        processes.start(
                name, instance.name(), command, environment(), exitCode -> ended.accept(new Ended(name, exitCode)));
    }

    void startProxy(Instance instance) throws IOException {
        String name = proxyOf(instance);
        processes.start(
                name,
                instance.name(),
                List.of(
                        tulle(),
                        "proxy",
                        "--workload",
                        instance.workload(),
                        "--token-file",
                        token(instance).toString(),
                        "--controller",
                        local(ports.discovery()),
                        "--admin",
                        local(ports.admin(instance)),
                        "--admin-local",
                        local(ports.privateAdmin(instance)),
                        // One event loop: many proxies share this machine, and shares of a split come out exact to the
                        // request.
                        "--concurrency",
                        "1",
                        "--drain-delay",
                        "100ms",
                        "--drain-timeout",
                        "3s"),
                environment("-XX:TieredStopAtLevel=1"),
                exitCode -> ended.accept(new Ended(name, exitCode)));
    }

    void awaitProxies(List<Instance> instances) throws InterruptedException, NotStarted {
        TreeSet<String> missing = new TreeSet<>();
        try {
            await(PROXIES_START, "", "", () -> {
                instances.forEach(instance -> missing.add(instance.workload()));
                for (JsonNode proxy : http.json(ports.http(), "/api/v1/proxies").path("proxies")) {
                    if (proxy.path("connected").asBoolean()
                            && proxy.path("ready").asBoolean()) {
                        missing.remove(proxy.path("workload").asText());
                    }
                }
                return missing.isEmpty();
            });
        } catch (NotStarted e) {
            String first = missing.first().substring(missing.first().indexOf('/') + 1);
            throw notStarted("the proxies of %s are not ready".formatted(missing), first + ".proxy");
        }
    }

    void startLoad() throws IOException {
        List<String> command = application("load");
        command.addAll(
                List.of("--control", Integer.toString(ports.load()), "--call", "web=" + local(ports.listen(Shop.WEB))));
        processes.start("load", "load", command, environment(), exitCode -> ended.accept(new Ended("load", exitCode)));
    }

    /** Until the load runs at its rate and is answered as fast as it asks. */
    void awaitSteadyLoad() throws InterruptedException, NotStarted {
        int[] calm = {0};
        await(LOAD_START, "load", "the load is not answered as fast as it asks", () -> {
            JsonNode stats = http.json(ports.load(), "/stats");
            boolean isCalm = stats.path("answered").asLong() > 50
                    && stats.path("inFlight").asLong() <= 3;
            calm[0] = isCalm ? calm[0] + 1 : 0;
            return calm[0] == 5;
        });
    }

    private void awaitPage() throws InterruptedException, NotStarted {
        await(
                PAGE_START,
                proxyOf(Shop.WEB),
                "the shop's page does not come",
                () -> http.get(ports.listen(Shop.WEB), "/", Map.of()).statusCode() == 200);
    }

    @Override
    public void close() {
        processes.close();
    }

    static String applicationOf(Instance instance) {
        return instance.name() + ".app";
    }

    static String proxyOf(Instance instance) {
        return instance.name() + ".proxy";
    }

    /** The launcher script. */
    String tulle() {
        return top.resolve("install/tulle").toString();
    }

    /** What children get beside our own environment: where their JVMs put temporary files. */
    Map<String, String> environment() {
        return environment("");
    }

    /** The same with more flags for a JVM that the launcher starts. */
    private Map<String, String> environment(String flags) {
        return Map.of("TULLE_TMPDIR", folder.scratch().toString(), "TULLE_JAVA_OPTS", flags);
    }

    private Path token(Instance instance) {
        return folder.tokens().resolve(instance.name());
    }

    private List<String> application(String app) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(APPLICATION_FLAGS);
        command.add("-Djava.io.tmpdir=" + folder.scratch());
        if (Runtime.version().feature() >= 23) {
            command.add("--sun-misc-unsafe-memory-access=allow");
        }
        command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-jar", ownJar().toString(), app));
        return command;
    }

    private static Path ownJar() {
        return Path.of(System.getProperty("java.class.path")).toAbsolutePath();
    }

    private static String local(int port) {
        return "127.0.0.1:" + port;
    }

    private interface Condition {
        boolean holds() throws IOException, InterruptedException;
    }

    private void await(Duration patience, String log, String complaint, Condition condition)
            throws InterruptedException, NotStarted {
        long deadline = System.nanoTime() + patience.toNanos();
        while (System.nanoTime() < deadline) {
            try {
                if (condition.holds()) {
                    return;
                }
            } catch (IOException e) {
                // Not there yet.
            }
            if (!log.isEmpty() && processes.find(log).isEmpty()) {
                break;
            }
            Thread.sleep(POLL_MILLIS);
        }
        throw notStarted(complaint, log);
    }

    private NotStarted notStarted(String complaint, String log) {
        if (log.isEmpty()) {
            return new NotStarted(complaint);
        }
        Path file = processes.log(log);
        String tail =
                Files.exists(file) ? WorkFolder.tail(file, LOG_TAIL).indent(4).stripTrailing() : "";
        return new NotStarted("%s; the end of %s:\n%s".formatted(complaint, file, tail));
    }
}
