package dev.tulle.conformance.kubernetes;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;

/**
 * A namespace of its own for one class of tests, used as people use one: through {@code kubectl}.
 *
 * <p>With {@code TULLE_PLAIN} set in the environment it is not labelled for the mesh, so that the same tests show what a plain cluster
 * does: what fails there says nothing about Tulle. Safe for use by many threads.
 */
public final class Place implements AutoCloseable {
    /** Whether the tests run with the mesh; without it they prove themselves. */
    public static final boolean MESHED = System.getenv("TULLE_PLAIN") == null;

    public static final ObjectMapper JSON = new ObjectMapper();

    /** For pods to get ready: all of a class start at once, each with a virtual machine beside it. */
    public static final Duration START = Duration.ofMinutes(2);

    /** Where the cluster's scripts are. */
    private static final Path CLUSTER = Path.of(System.getenv().getOrDefault("CL", "../cluster"));

    private static final Duration COMMAND = Duration.ofSeconds(90);

    /** Those made and not closed. */
    private static final Map<String, Place> OPEN = new ConcurrentSkipListMap<>();

    private final String name;
    private final Map<String, String> placeholders;

    private Place(String name, Map<String, String> placeholders) {
        this.name = name;
        this.placeholders = placeholders;
    }

    /** Makes it anew, with {@code placeholders} for the manifests: {@code @NAME@} becomes its value, {@code @NAMESPACE@} its name. */
    public static Place create(String name, Map<String, String> placeholders) {
        return create(name, placeholders, MESHED);
    }

    /** The same, in or out of the mesh. */
    public static Place create(String name, Map<String, String> placeholders, boolean meshed) {
        if (meshed) {
            Tulle.ensureInstalled();
        }
        run(List.of("kubectl", "delete", "namespace", name, "--ignore-not-found", "--timeout=60s"), "")
                .succeeded();
        Map<String, String> all = new HashMap<>(placeholders);
        all.put("NAMESPACE", name);
        Place place = new Place(name, all);
        place.applyText("""
                apiVersion: v1
                kind: Namespace
                metadata: {name: %s, labels: {tulle.dev/inject: "%s"}}
                """.formatted(name, meshed ? "enabled" : "disabled"));
        Awaitility.await("default service account of " + name)
                .atMost(Duration.ofSeconds(20))
                .until(() -> place.kubectl("get", "serviceaccount", "default").code() == 0);
        OPEN.put(name, place);
        return place;
    }

    /** All that were made and not closed, by name. */
    static Collection<Place> open() {
        return OPEN.values();
    }

    /** One that is there already; closing it would remove it. */
    public static Place existing(String name) {
        return new Place(name, Map.of("NAMESPACE", name));
    }

    public String name() {
        return name;
    }

    /** Applies a file of {@code src/test/resources/manifests}. */
    public void apply(String manifest) {
        try (InputStream in = Place.class.getResourceAsStream("/manifests/" + manifest)) {
            assertThat(in).as(manifest).isNotNull();
            applyText(new String(in.readAllBytes(), UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Applies YAML. */
    public void applyText(String yaml) {
        tryApply(yaml).succeeded();
    }

    /** Applies YAML that may be refused. */
    public Output tryApply(String yaml) {
        String filled = yaml;
        for (Map.Entry<String, String> placeholder : placeholders.entrySet()) {
            filled = filled.replace("@" + placeholder.getKey() + "@", placeholder.getValue());
        }
        List<String> command = new ArrayList<>(List.of("kubectl"));
        if (!yaml.contains("kind: Namespace")) {
            command.addAll(List.of("--namespace", name));
        }
        command.addAll(List.of("apply", "--server-side", "--force-conflicts", "-f", "-"));
        return run(command, filled);
    }

    /** Waits until {@code what} (as {@code pod/client} or {@code pod --all}) is Ready. */
    public void awaitReady(String... what) {
        await("Ready", what);
    }

    /** Waits for a condition, for example {@code Complete} of {@code job/once}. */
    public void await(String condition, String... what) {
        List<String> arguments = new ArrayList<>(
                List.of("wait", "--for=condition=" + condition, "--timeout=" + START.toSeconds() + "s"));
        arguments.addAll(List.of(what));
        Output output = kubectl(START.plusSeconds(10), arguments.toArray(String[]::new));
        if (output.code() != 0) {
            throw new AssertionError(output.err() + "\n" + whatIsWrong());
        }
    }

    /** Waits for a rollout to end. */
    public void awaitRollout(String what) {
        Output output =
                kubectl(START.plusSeconds(10), "rollout", "status", what, "--timeout=" + START.toSeconds() + "s");
        if (output.code() != 0) {
            throw new AssertionError(output.err() + "\n" + whatIsWrong());
        }
    }

    /** Pods and the last events, for messages of failed tests. */
    public String whatIsWrong() {
        return kubectl("get", "pods", "-o", "wide").out()
                + kubectl("get", "events", "--sort-by=.lastTimestamp")
                        .out()
                        .lines()
                        .skip(1)
                        .toList()
                        .reversed()
                        .stream()
                        .limit(15)
                        .reduce("", (all, line) -> all + line + "\n");
    }

    /** What the application {@code app} in {@code pod} prints when it is run there with {@code arguments}. */
    public Output app(String pod, String... arguments) {
        List<String> command = new ArrayList<>(List.of("exec", pod, "-c", "app", "--", "/app"));
        command.addAll(List.of(arguments));
        return kubectl(command.toArray(String[]::new));
    }

    /** A shell command in the pod {@code tools}. */
    public Output shell(String command) {
        return kubectl("exec", "tools", "-c", "tools", "--", "sh", "-c", command);
    }

    /** What the application tells of the request that {@code pod} made with {@code app get ARGUMENTS}. */
    public JsonNode get(String pod, String... arguments) {
        List<String> all = new ArrayList<>(List.of("get"));
        all.addAll(List.of(arguments));
        return app(pod, all.toArray(String[]::new)).succeeded().json();
    }

    /** Begins a load from {@code pod}: {@code app load ARGUMENTS}; it goes on until it is asked for its result. */
    public Load load(String pod, String... arguments) {
        List<String> command = new ArrayList<>(kubectlCommand(
                "exec", "--stdin", pod, "-c", "app", "--", "/app", "load", "--attended", "--seconds=170"));
        command.addAll(List.of(arguments));
        return new Load(Running.start(command));
    }

    public Output kubectl(String... arguments) {
        return kubectl(COMMAND, arguments);
    }

    private Output kubectl(Duration limit, String... arguments) {
        return run(limit, kubectlCommand(arguments), "");
    }

    /** A kubectl that goes on until it is closed. */
    public Running kubectlInBackground(String... arguments) {
        return Running.start(kubectlCommand(arguments), "");
    }

    /** Asks politely that a pod go away, as {@code kubectl drain} and the autoscaler do. */
    public Output evict(String pod) {
        return run(
                List.of(
                        "kubectl",
                        "create",
                        "--raw",
                        "/api/v1/namespaces/%s/pods/%s/eviction".formatted(name, pod),
                        "-f",
                        "-"),
                """
                {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "%s", "namespace": "%s"}}
                """.formatted(pod, name));
    }

    /** Sends a signal to the first process of a container, from the node: no shell is needed in it. */
    public void signal(String pod, String container, String signal) {
        onNode("ctr", "tasks", "kill", "--signal", signal, containerId(pod, container))
                .succeeded();
    }

    /** Fills the memory a container may have from beside it, until the kernel ends the container's own process for it. */
    public void exhaustMemory(String pod, String container) {
        onNode("sh", "-ec", """
                process=$(ctr tasks list | awk -v id=%s '$1 == id { print $2 }')
                group=$(sed -n 's/^[0-9]*:memory://p' /proc/$process/cgroup)
                if [ -n "$group" ]; then group=/sys/fs/cgroup/memory$group; else group=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/$process/cgroup); fi
                echo $$ >"$group/cgroup.procs"
                exec timeout 20 tail /dev/zero""".formatted(containerId(pod, container)));
    }

    /** Runs a command inside the node. */
    public static Output onNode(String... command) {
        Path script = CLUSTER.resolve("exec");
        List<String> all =
                new ArrayList<>(List.of((Files.exists(script) ? script : CLUSTER.resolve("exec.sh")).toString()));
        all.addAll(List.of(command));
        return run(all, "");
    }

    private String containerId(String pod, String container) {
        JsonNode status =
                kubectl("get", "pod", pod, "-o", "json").succeeded().json().path("status");
        for (String list : List.of("containerStatuses", "initContainerStatuses")) {
            for (JsonNode one : status.path(list)) {
                if (one.path("name").asText().equals(container)) {
                    return one.path("containerID").asText().replace("containerd://", "");
                }
            }
        }
        throw new AssertionError("no container %s in pod %s".formatted(container, pod));
    }

    /** One value out of an object by JSONPath. */
    public String value(String what, String jsonPath) {
        return kubectl("get", what, "-o", "jsonpath={" + jsonPath + "}")
                .succeeded()
                .out();
    }

    /** The only pod with these labels. */
    public String podOf(String labels) {
        List<String> pods = podsOf(labels);
        assertThat(pods).as("pods with " + labels).hasSize(1);
        return pods.getFirst();
    }

    /** Pods with these labels that are not on their way out, sorted. */
    public List<String> podsOf(String labels) {
        JsonNode list =
                kubectl("get", "pods", "-l", labels, "-o", "json").succeeded().json();
        List<String> names = new ArrayList<>();
        for (JsonNode pod : list.path("items")) {
            if (pod.path("metadata").path("deletionTimestamp").isMissingNode()) {
                names.add(pod.path("metadata").path("name").asText());
            }
        }
        return names.stream().sorted().toList();
    }

    private List<String> kubectlCommand(String... arguments) {
        List<String> command = new ArrayList<>(List.of("kubectl", "--namespace", name));
        command.addAll(List.of(arguments));
        return command;
    }

    @Override
    public void close() {
        OPEN.remove(name);
        if (System.getenv("TULLE_KEEP") == null) {
            run(List.of("kubectl", "delete", "namespace", name, "--ignore-not-found", "--wait=false"), "");
        }
    }

    /** Runs a command on the machine to its end. */
    public static Output run(List<String> command, String input) {
        return run(COMMAND, command, input);
    }

    /** As {@link #run(List, String)}, with another time limit. */
    public static Output run(Duration limit, List<String> command, String input) {
        return Running.start(command, input).await(limit);
    }

    /** A load under way. */
    public static final class Load {
        private static final Duration LIMIT = Duration.ofMinutes(3);

        private final Running running;

        private Load(Running running) {
            this.running = running;
        }

        /** Ends it and gives its one line of JSON: {@code sent}, {@code ok}, {@code failed}, {@code kinds}, {@code pods} ... */
        public JsonNode end() {
            running.endInput();
            return running.await(LIMIT).succeeded().json();
        }

        /** Ends it; fails unless at least {@code atLeast} requests were sent and every one of them was answered with a 2xx. */
        public JsonNode endWithoutLoss(int atLeast) {
            JsonNode result = end();
            assertThat(result.path("failed").asInt()).as(result.toString()).isZero();
            assertThat(result.path("ok").asInt()).as(result.toString()).isGreaterThanOrEqualTo(atLeast);
            return result;
        }
    }

    /** A process under way, its output kept in files of its own. */
    public static final class Running implements AutoCloseable {
        private final List<String> command;
        private final Process process;
        private final Path out;
        private final Path err;

        private Running(List<String> command, Process process, Path out, Path err) {
            this.command = command;
            this.process = process;
            this.out = out;
            this.err = err;
        }

        static Running start(List<String> command, String input) {
            Running running = start(command);
            try {
                running.process.getOutputStream().write(input.getBytes(UTF_8));
            } catch (IOException e) {
                // It ended without wanting to know.
            }
            running.endInput();
            return running;
        }

        static Running start(List<String> command) {
            try {
                Path out = Files.createTempFile("tulle-test", ".out");
                Path err = Files.createTempFile("tulle-test", ".err");
                Process process = new ProcessBuilder(command)
                        .redirectOutput(out.toFile())
                        .redirectError(err.toFile())
                        .start();
                return new Running(command, process, out, err);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        void endInput() {
            try {
                process.getOutputStream().close();
            } catch (IOException e) {
                // It ended before.
            }
        }

        Output await(Duration limit) {
            try {
                if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                    process.destroyForcibly().waitFor();
                    throw new AssertionError("not done in %s: %s%n%s"
                            .formatted(limit, String.join(" ", command), Files.readString(err)));
                }
                Output output = new Output(command, process.exitValue(), Files.readString(out), Files.readString(err));
                Files.delete(out);
                Files.delete(err);
                return output;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                process.destroyForcibly();
                throw new IllegalStateException(e);
            }
        }

        /** What it has printed so far. */
        public String printed() {
            try {
                return Files.readString(out);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public void close() {
            process.destroy();
            await(Duration.ofSeconds(10));
        }
    }

    /**
     * What a command left.
     *
     * @param code its exit code
     */
    public record Output(List<String> command, int code, String out, String err) {
        public Output succeeded() {
            assertThat(code)
                    .as("%s%n%s%n%s", String.join(" ", command), out, err)
                    .isZero();
            return this;
        }

        /** The JSON in it: all of it, or what begins behind an empty line. */
        public JsonNode json() {
            int head = out.indexOf("\n\n");
            try {
                return JSON.readTree(out.startsWith("{") || head < 0 ? out : out.substring(head));
            } catch (IOException e) {
                throw new UncheckedIOException(out, e);
            }
        }

        /** Both streams. */
        public String text() {
            return out + err;
        }
    }
}
