package dev.tulle.conformance.smi;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpServer;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;

/** What reports and exit codes say of cases whose ends are known; the cluster is a server that only tells its version. */
@Timeout(60)
class MainTest {
    private static HttpServer cluster;

    @TempDir
    private Path folder;

    private final ByteArrayOutputStream said = new ByteArrayOutputStream();

    @BeforeAll
    static void startCluster() throws IOException {
        cluster = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        cluster.createContext("/version", exchange -> {
            byte[] version = "{\"major\": \"1\", \"minor\": \"36\", \"gitVersion\": \"v1.36.3\"}".getBytes(UTF_8);
            exchange.getResponseHeaders().add("Content-Type", "application/json");
            exchange.sendResponseHeaders(200, version.length);
            exchange.getResponseBody().write(version);
            exchange.close();
        });
        cluster.start();
    }

    @AfterAll
    static void stopCluster() {
        cluster.stop(0);
    }

    @Test
    void aRunInWhichAllPassesSaysSo() throws Exception {
        // When
        int code = run("--unmeshed", "--mesh", "Sample", "--mesh-version", "1.2", "--only", "good");
        // Then
        assertThat(code).isZero();
        JsonNode report = json();
        assertThat(report.at("/mesh/name").asText()).isEqualTo("Sample");
        assertThat(report.at("/mesh/version").asText()).isEqualTo("1.2");
        assertThat(report.path("kubernetes").asText()).isEqualTo("v1.36.3");
        assertThat(report.path("complete").asBoolean()).isTrue();
        assertThat(report.path("result").asText()).isEqualTo("passed");
        assertThat(results(report)).containsExactly("good/in-each-version v1 passed", "good/in-each-version v2 passed");
        assertThat(report.at("/groups/0/cases/1/measured/version").asText()).isEqualTo("v2");
        assertThat(report.at("/groups/0/cases/1/measured/count").isIntegralNumber())
                .isTrue();
        assertThat(markdown())
                .contains(
                        "# SMI conformance of Sample 1.2",
                        "**Passed**: 2 passed, 0 failed",
                        "| in-each-version | Sample v1 | It \\| passes. | passed |");
        assertThat(said.toString(UTF_8)).contains("good/in-each-version v1").contains("PASSED: 2 passed");
    }

    @Test
    void oneFailingCaseMakesTheRunFail() throws Exception {
        // When
        int code = run("--unmeshed", "--only", "mixed");
        // Then
        assertThat(code).isEqualTo(1);
        JsonNode report = json();
        assertThat(report.path("result").asText()).isEqualTo("failed");
        assertThat(report.path("failed").asInt()).isEqualTo(2);
        assertThat(results(report))
                .containsExactlyInAnyOrder(
                        "mixed/fails v1 failed",
                        "mixed/half-fails v1 passed",
                        "mixed/half-fails v2 failed",
                        "mixed/passes v1 passed",
                        "mixed/skipped v1 skipped");
        JsonNode failed = report.at("/groups/0/cases/0");
        assertThat(failed.path("reason").asText()).contains("requests at <b>", "3", "4");
        assertThat(failed.at("/measured/seen").asInt()).isEqualTo(3);
        assertThat(markdown())
                .contains("**Not passed**: 2 passed, 2 failed, 1 skipped", "**failed**: [requests at &lt;b>]");
        Document junit = DocumentBuilderFactory.newDefaultInstance()
                .newDocumentBuilder()
                .parse(folder.resolve("TEST-smi-conformance.xml").toFile());
        assertThat(junit.getElementsByTagName("testcase").getLength()).isEqualTo(5);
        assertThat(junit.getElementsByTagName("failure").getLength()).isEqualTo(2);
        assertThat(junit.getElementsByTagName("skipped").getLength()).isEqualTo(1);
        assertThat(junit.getDocumentElement().getAttribute("failures")).isEqualTo("2");
        assertThat(said.toString(UTF_8)).contains("NOT PASSED");
    }

    @Test
    void aSkippedCaseIsNoPass() throws Exception {
        assertThat(run("--unmeshed", "--only", "mixed/skipped")).isEqualTo(1);
        assertThat(json().at("/groups/0/cases/0/reason").asText()).contains("there is nothing to look at");
    }

    @Test
    void casesOfAGroupThatCouldNotBeginFailWithItsReason() throws Exception {
        assertThat(run("--unmeshed", "--only", "unbegun")).isEqualTo(1);
        assertThat(results(json())).containsExactly("unbegun/never-runs v1 failed", "unbegun/never-runs v2 failed");
        assertThat(json().at("/groups/0/cases/0/reason").asText()).contains("no place for it");
    }

    @Test
    void aGroupThatCouldNotEndMakesTheRunFail() throws Exception {
        assertThat(run("--unmeshed", "--only", "unended")).isEqualTo(1);
        assertThat(json().path("result").asText()).isEqualTo("failed");
        assertThat(said.toString(UTF_8)).contains("it cannot be taken down");
    }

    @Test
    void whatIsNotChosenIsNotInTheReport() throws Exception {
        assertThat(run("--unmeshed", "--only", "mixed/passes", "--only", "good"))
                .isZero();
        assertThat(results(json())).hasSize(3).allMatch(line -> line.endsWith(" passed"));
    }

    @Test
    void aClusterThatDoesNotAnswerPassesNothing() throws Exception {
        // Given
        Path kubeconfig = kubeconfig("http://127.0.0.1:1");
        // When
        int code = main().run(List.of(
                "--unmeshed", "--only", "good", "--kubeconfig", kubeconfig.toString(), "--output", folder.toString()));
        // Then
        assertThat(code).isEqualTo(1);
        assertThat(results(json())).isNotEmpty().allMatch(line -> line.endsWith(" skipped"));
        assertThat(json().at("/groups/0/cases/0/reason").asText()).contains("http://127.0.0.1:1", "did not answer");
    }

    @Test
    void casesOfTrafficAreNotAskedWhereNoMeshCanBe() throws Exception {
        // When
        int code = run("--unmeshed", "--only", "traffic", "--only", "good");
        // Then
        assertThat(code).isEqualTo(1);
        assertThat(results(json()))
                .containsExactly(
                        "good/in-each-version v1 passed",
                        "good/in-each-version v2 passed",
                        "traffic/asks-a-mesh v1 skipped",
                        "traffic/asks-a-mesh v2 skipped");
        assertThat(json().path("complete").asBoolean()).isFalse();
        assertThat(json().path("stopped").asText()).contains("no SMI API", "trafficsplits.split.smi-spec.io");
        assertThat(json().at("/groups/1/cases/0/reason").asText()).isEqualTo("not asked: no mesh was found");
        assertThat(markdown()).contains("**Not run to its end**: the cluster has no SMI API");
        assertThat(said.toString(UTF_8))
                .contains("not run to its end: the cluster has no SMI API", "skipped 2: not asked");
    }

    @Test
    void aRunThatIsEndedTellsWhatItHasAndPassesNothingElse() throws Exception {
        // Given
        Process run = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        SampleMain.class.getName(),
                        "--unmeshed",
                        "--only",
                        "endless",
                        "--kubeconfig",
                        kubeconfig(address()).toString(),
                        "--output",
                        folder.toString())
                .redirectErrorStream(true)
                .start();
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(run.getInputStream(), UTF_8))) {
            String line = lines.readLine();
            while (line != null && !line.contains("endless/1-passes")) {
                line = lines.readLine();
            }
            // When
            run.destroy();
            assertThat(run.waitFor(20, TimeUnit.SECONDS)).isTrue();
        } finally {
            run.destroyForcibly();
        }
        // Then
        assertThat(run.exitValue()).isNotZero();
        assertThat(json().path("complete").asBoolean()).isFalse();
        assertThat(json().path("result").asText()).isEqualTo("failed");
        assertThat(results(json()))
                .containsExactly(
                        "endless/1-passes v1 passed", "endless/2-endless v1 skipped", "endless/3-later v1 skipped");
        assertThat(markdown()).contains("**Not run to its end**: the run was ended before its end.");
    }

    @Test
    void wrongUsageIsSaidAndNothingIsRun() throws IOException {
        assertThat(Stream.of(
                                List.of("--only", "good"),
                                List.of("--unmeshed", "--only", "nobody"),
                                List.of("--unmeshed", "--only"),
                                List.of("--label", "no-value"),
                                List.of("--unmeshed", "--parallel", "none"),
                                List.of(
                                        "--unmeshed",
                                        "--kubeconfig",
                                        folder.resolve("none").toString()),
                                List.of(
                                        "--unmeshed",
                                        "--context",
                                        "nowhere",
                                        "--kubeconfig",
                                        kubeconfig(address()).toString()),
                                List.of("--what"))
                        .map(arguments -> main().run(arguments)))
                .containsOnly(2);
        assertThat(said.toString(UTF_8))
                .contains("it is not said how a namespace joins the mesh", "there is no such group or case", "--what");
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void everyCaseOfTheSuiteIsNamedOnceAndPublishedStepsAreThoseOfThePublishedSuite() {
        List<String> lines = suite();
        assertThat(lines.stream().map(line -> line.substring(0, line.indexOf(':'))))
                .doesNotHaveDuplicates();
        assertThat(lines).filteredOn(line -> line.startsWith("traffic-access/")).hasSize(7);
        assertThat(lines).filteredOn(line -> line.startsWith("traffic-spec/")).hasSize(6);
        assertThat(lines).filteredOn(line -> line.startsWith("traffic-split/")).hasSize(11);
    }

    @Test
    void theKeptTableHasTheCasesThatThereAre() throws IOException {
        // Given
        Set<String> cases = suite().stream()
                .map(line -> line.replaceAll("^([^/]*)/(\\S+) (.*?): .*$", "$1/$2 $3"))
                .collect(Collectors.toCollection(TreeSet::new));
        // When
        Set<String> kept = new TreeSet<>();
        String group = "";
        for (String line : Files.readAllLines(Path.of("results.md"))) {
            if (line.startsWith("## ")) {
                group = line.substring("## ".length(), line.lastIndexOf(':'));
            } else if (line.matches("\\| [a-z0-9].*v\\d.*")) {
                String[] cells = line.split(" \\| ", -1);
                kept.add(group + "/" + cells[0].substring("| ".length()) + " " + cells[1]);
            }
        }
        // Then
        assertThat(kept)
                .as("cases of results.md, which conformance/smi/run --own-cluster --record writes anew")
                .containsExactlyElementsOf(cases);
    }

    private List<String> suite() {
        int code = new Main(
                        List.of("dev.tulle.conformance.smi.published", "dev.tulle.conformance.smi.sentences"),
                        new PrintStream(said, true, UTF_8),
                        System.err)
                .run(List.of("--list"));
        assertThat(code).isZero();
        return said.toString(UTF_8).lines().toList();
    }

    private int run(String... arguments) throws IOException {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--kubeconfig", kubeconfig(address()).toString(), "--output", folder.toString()));
        return main().run(all);
    }

    private Main main() {
        PrintStream out = new PrintStream(said, true, UTF_8);
        return new Main(SampleMain.PACKAGES, out, out);
    }

    private static String address() {
        return "http://127.0.0.1:" + cluster.getAddress().getPort();
    }

    private Path kubeconfig(String server) throws IOException {
        Path file = Files.createTempFile("smi", ".yaml");
        file.toFile().deleteOnExit();
        return Files.writeString(file, """
                apiVersion: v1
                kind: Config
                clusters: [{name: here, cluster: {server: "%s"}}]
                users: [{name: me, user: {token: none}}]
                contexts: [{name: here, context: {cluster: here, user: me}}]
                current-context: here
                """.formatted(server));
    }

    private JsonNode json() throws IOException {
        return new ObjectMapper()
                .readTree(folder.resolve("smi-conformance.json").toFile());
    }

    private String markdown() throws IOException {
        return Files.readString(folder.resolve("smi-conformance.md"));
    }

    /** {@code group/id version result} of each. */
    private static List<String> results(JsonNode report) {
        List<String> all = new ArrayList<>();
        report.path("groups")
                .forEach(group -> group.path("cases")
                        .forEach(one -> all.add("%s/%s %s %s"
                                .formatted(
                                        group.path("name").asText(),
                                        one.path("id").asText(),
                                        one.path("version").asText(),
                                        one.path("result").asText()))));
        return all;
    }
}
