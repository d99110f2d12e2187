package dev.tulle.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MigrateCommandTest {
    private static final String NAMESPACE = """
            apiVersion: v1
            kind: Namespace
            metadata:
              name: shop
              labels: {openservicemesh.io/monitored-by: osm} # by hand
              annotations: {openservicemesh.io/sidecar-injection: enabled}
            """;
    private static final String SPLIT = """
            apiVersion: split.smi-spec.io/v1alpha2
            kind: TrafficSplit
            metadata: {name: reviews, namespace: shop}
            spec: {service: reviews, backends: [{service: reviews-v1, weight: 1}]}
            """;
    private static final String EXTENSION = """
            apiVersion: config.openservicemesh.io/v1alpha2
            kind: ExtensionService
            metadata: {name: opa, namespace: shop}
            spec: {host: opa, port: 9191, protocol: h2c}
            """;

    @TempDir
    private Path directory = Path.of("");

    @Test
    void writesManifestsToStandardOutputAndTheReportToStandardError() throws IOException {
        Ran ran = Ran.tulle("migrate", "osm", file("in/a.yaml", NAMESPACE + "---\n" + SPLIT));

        assertThat(ran.exitCode()).isZero();
        assertThat(ran.out())
                .contains("# by hand", "tulle.dev/inject", SPLIT, "path-match: full")
                .doesNotContain("openservicemesh.io/");
        assertThat(ran.err())
                .contains("done ", "Namespace shop, metadata.labels.openservicemesh.io/monitored-by")
                .contains("no MeshConfig is among the manifests")
                .contains("0 unsupported, 0 untouched");
    }

    @Test
    void writesOneFileForEachAndDataWhereAsked() throws IOException {
        file("in/a.yaml", NAMESPACE);
        file("in/below/b.yaml", EXTENSION + "---\n" + SPLIT);
        Path out = directory.resolve("out");

        Ran ran = Ran.tulle(
                "migrate",
                "osm",
                "-d",
                out.toString(),
                "-o",
                "json",
                directory.resolve("in").toString());

        assertThat(ran.exitCode()).isEqualTo(1);
        JsonNode notes = new ObjectMapper().readTree(ran.out()).path("notes");
        assertThat(notes).anySatisfy(note -> {
            assertThat(note.path("outcome").asText()).isEqualTo("unsupported");
            assertThat(note.path("object").asText()).isEqualTo("ExtensionService shop/opa");
            assertThat(note.path("cure").asText()).isNotEmpty();
        });
        try (var files = Files.walk(out)) {
            assertThat(files.filter(Files::isRegularFile)
                            .map(path -> path.getFileName().toString()))
                    .containsExactlyInAnyOrder("a.yaml", "b.yaml", "tulle-migrated.yaml");
        }
    }

    @Test
    void writesOverNothing() throws IOException {
        String in = file("in/a.yaml", SPLIT);
        Path out = directory.resolve("out");
        Ran.tulle("migrate", "linkerd-smi", "-d", out.toString(), in);

        Ran again = Ran.tulle("migrate", "linkerd-smi", "-d", out.toString(), in);

        assertThat(again.exitCode()).isEqualTo(2);
        assertThat(again.err()).contains("is there already");
    }

    @Test
    void writesAllOfItOrNothing() throws IOException {
        String one = file("one/a.yaml", SPLIT);
        String other = file("other/a.yaml", NAMESPACE);
        Path out = directory.resolve("out");

        Ran ran = Ran.tulle("migrate", "osm", "-d", out.toString(), one, other);

        assertThat(ran.exitCode()).isEqualTo(2);
        assertThat(ran.err()).contains("two files would be").contains("a.yaml");
        assertThat(out).doesNotExist();
    }

    @Test
    void aFileInPlaceOfTheDirectoryIsTold() throws IOException {
        Ran ran = Ran.tulle("migrate", "osm", "-d", file("out", ""), file("in/a.yaml", SPLIT));

        assertThat(ran.exitCode()).isEqualTo(2);
        assertThat(ran.err()).contains("is there already and no directory");
    }

    @Test
    void readsWhatKubectlPrints() throws IOException {
        String list = """
                apiVersion: v1
                kind: List
                items:
                - apiVersion: v1
                  kind: Namespace
                  metadata:
                    name: shop
                    uid: 1234
                    annotations: {linkerd.io/inject: enabled}
                  status: {phase: Active}
                - apiVersion: v1
                  kind: Service
                  metadata: {name: web, namespace: shop, annotations: {deployment.kubernetes.io/revision: "1"}}
                  spec: {clusterIP: 10.0.0.7, clusterIPs: [10.0.0.7], ports: [{port: 80}]}
                - apiVersion: v1
                  kind: Service
                  metadata: {name: db, namespace: shop}
                  spec: {clusterIP: None, clusterIPs: [None], ports: [{port: 80}]}
                """;

        Ran ran = Ran.tulle("migrate", "linkerd-smi", file("all.yaml", list));

        assertThat(ran.exitCode()).isZero();
        assertThat(ran.out())
                .contains("tulle.dev/inject: enabled", "clusterIP: None")
                .doesNotContain("uid", "status", "linkerd.io", "10.0.0.7", "revision");
    }

    @Test
    void whatIsNoYamlAndNothingAtAllCannotBeRead() throws IOException {
        assertThat(Ran.tulle("migrate", "osm", file("a.yaml", "a: [")).exitCode())
                .isEqualTo(2);
        assertThat(Ran.tulle("migrate", "osm").exitCode()).isEqualTo(2);
        assertThat(Ran.tulle("migrate").exitCode()).isEqualTo(2);
    }

    private String file(String name, String text) throws IOException {
        Path path = directory.resolve(name);
        Files.createDirectories(path.getParent());
        return Files.writeString(path, text).toString();
    }
}
