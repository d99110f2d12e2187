package dev.tulle.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LintCommandTest {
    private static final String SERVICE = """
            apiVersion: v1
            kind: Service
            metadata: {name: reviews-v1, namespace: shop}
            spec: {selector: {app: reviews}, ports: [{port: 80}]}
            """;
    private static final String SPLIT = """
            apiVersion: split.smi-spec.io/v1alpha4
            kind: TrafficSplit
            metadata: {name: reviews, namespace: shop}
            spec:
              service: reviews
              backends: [{service: reviews-v1, weight: 1}]
            """;

    @TempDir
    private Path directory = Path.of("");

    @Test
    void saysFileLineFieldCauseAndCureAndEndsWithOne() throws IOException {
        file("a.yaml", SERVICE);
        file("below/b.yaml", SPLIT);

        Ran ran = Ran.tulle("lint", directory.toString());

        assertThat(ran.exitCode()).isEqualTo(1);
        assertThat(ran.out())
                .contains("below/b.yaml:5 TrafficSplit shop/reviews, spec.service")
                .contains(
                        "there is no Service shop/reviews among the files given; the split has no effect until there is")
                .contains("-> make it, or correct the name  [missing-service]")
                .contains("2 objects, 1 errors, 0 warnings");
    }

    @Test
    void whatIsMissingFromFilesWithoutServicesIsNoError() throws IOException {
        String path = file("split.yaml", SPLIT);

        assertThat(Ran.tulle("lint", path).exitCode()).isZero();
        assertThat(Ran.tulle("lint", path).out()).contains("warning", "among the files given");
        assertThat(Ran.tulle("lint", "--strict", path).exitCode()).isEqualTo(1);
    }

    @Test
    void isDataWhereAsked() throws IOException {
        Ran ran = Ran.tulle("lint", "-o", "json", file("a.yaml", SERVICE), file("b.yaml", SPLIT));

        JsonNode finding =
                new ObjectMapper().readTree(ran.out()).path("findings").path(0);
        assertThat(finding.path("level").asText()).isEqualTo("error");
        assertThat(finding.path("rule").asText()).isEqualTo("missing-service");
        assertThat(finding.path("kind").asText()).isEqualTo("TrafficSplit");
        assertThat(finding.path("namespace").asText()).isEqualTo("shop");
        assertThat(finding.path("line").asInt()).isEqualTo(5);
        assertThat(finding.path("cure").asText()).isEqualTo("make it, or correct the name");
    }

    @Test
    void readsStandardInputAndListsOfObjects() {
        InputStream before = System.in;
        String list = "apiVersion: v1\nkind: List\nitems:\n- "
                + SPLIT.indent(2).strip().replace("weight: 1", "weight: -1");
        System.setIn(new ByteArrayInputStream(list.getBytes(StandardCharsets.UTF_8)));
        try {
            Ran ran = Ran.tulle("lint", "-");

            assertThat(ran.exitCode()).isEqualTo(1);
            assertThat(ran.out()).contains("-:9 TrafficSplit shop/reviews, spec.backends[0].weight");
        } finally {
            System.setIn(before);
        }
    }

    @Test
    void whatIsNotThereAndNothingAtAllCannotBeRead() {
        Ran missing = Ran.tulle("lint", directory.resolve("nowhere").toString());

        assertThat(missing.exitCode()).isEqualTo(2);
        assertThat(missing.err()).contains("there is no file or directory");
        assertThat(Ran.tulle("lint").exitCode()).isEqualTo(2);
    }

    @Test
    void passesOverWhatIsNoKubernetesObject() throws IOException {
        file("values.yaml", "image: {tag: 1}\n---\n- a\n");
        file(
                "kustomization.yaml",
                "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [a.yaml]\n");

        Ran ran = Ran.tulle("lint", directory.toString());

        assertThat(ran.exitCode()).isZero();
        assertThat(ran.out()).isEqualTo("0 objects, 0 errors, 0 warnings\n");
    }

    private String file(String name, String text) throws IOException {
        Path path = directory.resolve(name);
        Files.createDirectories(path.getParent());
        return Files.writeString(path, text).toString();
    }
}
