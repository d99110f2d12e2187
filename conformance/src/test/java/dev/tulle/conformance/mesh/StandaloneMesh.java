package dev.tulle.conformance.mesh;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** A mesh without Kubernetes, all of it processes: one controller over a directory of YAML, and sidecars that joined by token. */
public final class StandaloneMesh implements AutoCloseable {
    /** What the controller is run with in tests. */
    private static final List<String> CONTROLLER_FLAGS =
            List.of("-Xmx160m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData");

    private static final String CONTROLLER_JAR = "controller/server/target/quarkus-app/quarkus-run.jar";
    private static final Duration BOUND = Duration.ofSeconds(60);
    private static final HttpClient HTTP =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path folder;
    private final Path objects;
    private final Path state;
    private final int listenPort = Program.freePort();
    private final int httpPort = Program.freePort();
    private final List<Program> programs = new ArrayList<>();
    private Program controller;

    private StandaloneMesh(Path folder, List<String> options) {
        this.folder = folder;
        this.state = folder.resolve("state");
        try {
            this.objects = Files.createDirectories(folder.resolve("mesh"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        controller = runController(folder, state, options);
    }

    /** Starts a controller over these objects and waits until it is ready; skips the test where no controller was built. */
    public static StandaloneMesh start(Path folder, String yaml, String... options) {
        requireBuilt();
        try {
            Files.createDirectories(folder.resolve("mesh"));
            Files.writeString(folder.resolve("mesh/shop.yaml"), yaml);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        StandaloneMesh mesh = new StandaloneMesh(folder, List.of(options));
        mesh.awaitController();
        return mesh;
    }

    /** Skips the test where the controller was not built. */
    public static void requireBuilt() {
        assumeTrue(
                Files.isReadable(Program.built(CONTROLLER_JAR)),
                "the controller is not built: ./mvnw verify makes " + CONTROLLER_JAR + " before it runs this");
    }

    /** The command that runs the controller's jar. */
    public static List<String> controllerCommand(String... arguments) {
        List<String> command = new ArrayList<>(List.of(Program.java()));
        command.addAll(CONTROLLER_FLAGS);
        command.addAll(List.of("-jar", Program.built(CONTROLLER_JAR).toString()));
        command.addAll(List.of(arguments));
        return List.copyOf(command);
    }

    /** YAML of one workload behind a proxy: its service account and Service have its name. */
    public static String server(String name, int listen, int application) {
        return """
                ---
                apiVersion: v1
                kind: Service
                metadata: {name: %1$s, namespace: shop}
                spec: {selector: {app: %1$s}, ports: [{name: http, port: 80, targetPort: http}]}
                ---
                apiVersion: tulle.dev/v1alpha1
                kind: Workload
                metadata: {name: %1$s-1, namespace: shop, labels: {app: %1$s}}
                spec:
                  owner: %1$s
                  serviceAccount: %1$s
                  ports: [{name: http, port: 8080, application: "127.0.0.1:%3$d", listen: %2$d, protocol: http}]
                """.formatted(name, listen, application);
    }

    /** YAML of one workload that calls one service. */
    public static String caller(String name, String service, int local) {
        return """
                ---
                apiVersion: tulle.dev/v1alpha1
                kind: Workload
                metadata: {name: %1$s-1, namespace: shop, labels: {app: %1$s}}
                spec:
                  owner: %1$s
                  serviceAccount: %1$s
                  outbound: [{service: %2$s, port: 80, listen: "127.0.0.1:%3$d"}]
                """.formatted(name, service, local);
    }

    /** YAML of a TrafficTarget that lets one service account call another one's workloads. */
    public static String grant(String destination, String source) {
        return """
                ---
                apiVersion: access.smi-spec.io/v1alpha3
                kind: TrafficTarget
                metadata: {name: %1$s-from-%2$s, namespace: shop}
                spec:
                  destination: {kind: ServiceAccount, name: %1$s, namespace: shop}
                  sources: [{kind: ServiceAccount, name: %2$s, namespace: shop}]
                  rules: [{kind: HTTPRouteGroup, name: everything}]
                ---
                apiVersion: specs.smi-spec.io/v1alpha4
                kind: HTTPRouteGroup
                metadata: {name: everything, namespace: shop}
                spec: {matches: [{name: all, pathRegex: "/", methods: ["*"]}]}
                """.formatted(destination, source);
    }

    public Path folder() {
        return folder;
    }

    /** Where the controller keeps its keys. */
    public Path state() {
        return state;
    }

    public Program controller() {
        return controller;
    }

    public int listenPort() {
        return listenPort;
    }

    public int httpPort() {
        return httpPort;
    }

    /** Writes, or replaces, one file of objects. */
    public void write(String file, String yaml) {
        try {
            Path aside = folder.resolve(file + ".aside");
            Files.writeString(aside, yaml);
            Files.move(aside, objects.resolve(file), StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Takes one file of objects away. */
    public void remove(String file) {
        try {
            Files.delete(objects.resolve(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Starts the controller again, on the same ports and with the same state, after it was ended. */
    public void restartController(String... options) {
        controller = runController(folder, state, List.of(options));
        awaitController();
    }

    /** Runs a controller without waiting for it: with this state directory, and this before its command. */
    public Program runController(Path work, Path stateDirectory, List<String> options) {
        List<String> command = new ArrayList<>(controllerCommand(
                "--dir",
                objects.toString(),
                "--state-dir",
                stateDirectory.toString(),
                "--listen",
                "127.0.0.1:" + listenPort,
                "--http",
                "127.0.0.1:" + httpPort));
        command.addAll(options);
        Program program = Program.start(work, "controller", command);
        programs.add(program);
        return program;
    }

    /** A join token's line. */
    public String token(String workload, String... options) {
        List<String> command = new ArrayList<>(controllerCommand("token", workload, "--state-dir", state.toString()));
        command.addAll(List.of(options));
        Program program = Program.start(folder, "token-" + workload.replace('/', '-'), command);
        int code = program.awaitEnd(BOUND);
        String line = program.log()
                .lines()
                .filter(one -> one.startsWith("tulle1."))
                .reduce((first, second) -> second)
                .orElse("");
        if (code != 0 || line.isEmpty()) {
            throw new AssertionError("no token for %s: %s".formatted(workload, program.log()));
        }
        return line;
    }

    /** Makes a token, starts the sidecar of a workload and waits until it is ready. */
    public SidecarPair.Sidecar join(String workload) {
        SidecarPair.Sidecar sidecar = startSidecar(workload, token(workload), "--workload", workload);
        sidecar.program().awaitThat("ready", BOUND, sidecar::ready);
        return sidecar;
    }

    /** Starts a sidecar with a token and does not wait for it. */
    public SidecarPair.Sidecar startSidecar(String name, String token, String... options) {
        String file = name.replace('/', '-');
        try {
            Files.writeString(folder.resolve(file + ".token"), token + "\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        List<String> all = new ArrayList<>(
                List.of("--token-file", folder.resolve(file + ".token").toString()));
        all.addAll(List.of(options));
        return runSidecar(file, all);
    }

    /** Starts a sidecar with these options beside the controller's address, and does not wait for it. */
    public SidecarPair.Sidecar runSidecar(String name, List<String> options) {
        int admin = Program.freePort();
        List<String> command = new ArrayList<>(SidecarPair.sidecarCommand());
        command.addAll(List.of(
                "--controller", "127.0.0.1:" + listenPort,
                "--admin", "off",
                "--admin-local", "127.0.0.1:" + admin,
                "--concurrency", "1",
                "--drain-delay", "200ms"));
        command.addAll(options);
        Program program = Program.start(folder, name, command);
        programs.add(program);
        return new SidecarPair.Sidecar(program, admin);
    }

    /** An answer of the controller's API; a missing node while it does not answer. */
    public JsonNode api(String path) {
        try {
            HttpResponse<String> answer = HTTP.send(
                    HttpRequest.newBuilder(URI.create("http://127.0.0.1:%d%s".formatted(httpPort, path)))
                            .timeout(Duration.ofSeconds(5))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            return answer.statusCode() == 200 && answer.body().startsWith("{")
                    ? JSON.readTree(answer.body())
                    : MissingNode.getInstance();
        } catch (IOException e) {
            return MissingNode.getInstance();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return MissingNode.getInstance();
        }
    }

    /** Waits until the API says something. */
    public JsonNode awaitApi(String path, String what, Predicate<JsonNode> condition) {
        controller.awaitThat(what + " by " + path, BOUND, () -> condition.test(api(path)));
        return api(path);
    }

    @Override
    public void close() {
        for (Program program : programs.reversed()) {
            program.close();
        }
    }

    private void awaitController() {
        controller.awaitThat("ready", BOUND, () -> status("/readyz") == 200);
    }

    private int status(String path) {
        try {
            return HTTP.send(
                            HttpRequest.newBuilder(URI.create("http://127.0.0.1:%d%s".formatted(httpPort, path)))
                                    .timeout(Duration.ofSeconds(5))
                                    .build(),
                            HttpResponse.BodyHandlers.discarding())
                    .statusCode();
        } catch (IOException e) {
            return 0;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return 0;
        }
    }
}
