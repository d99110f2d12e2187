package dev.tulle.conformance.repository;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What is promised of {@code install/tulle.yaml} and can be seen without a cluster. */
class InstallManifestTest {
    private static final Path INSTALL = Repository.root().resolve("install");

    @Test
    void theManifestIsWhatItsBaseGives() throws Exception {
        Process check = new ProcessBuilder(INSTALL.resolve("generate").toString(), "--check")
                .redirectErrorStream(true)
                .start();
        String said = new String(check.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(check.waitFor(10, TimeUnit.SECONDS)).isTrue();
        assertThat(check.exitValue()).as(said).isZero();
    }

    @Test
    void theManifestHoldsNoGeneratedValueAndNothingThatIsTheUsers() throws IOException {
        for (JsonNode object : Stream.concat(manifest().stream(), manifest("traffic-metrics.yaml").stream())
                .toList()) {
            assertThat(object.path("kind").asText()).isNotIn("Secret", "ConfigMap");
            assertThat(object.findValuesAsText("caBundle")).isEmpty();
        }
    }

    @Test
    void theImagesAreThoseThatAreBuilt() throws IOException {
        Matcher version = Pattern.compile("(?m)^  <version>(.*)</version>$")
                .matcher(Repository.text(Repository.root().resolve("pom.xml")));
        assertThat(version.find()).isTrue();
        JsonNode container = only("Deployment").at("/spec/template/spec/containers/0");
        assertThat(container.path("image").asText()).isEqualTo("tulle/tulle-controller:" + version.group(1));
        assertThat(container.path("env").findValuesAsText("value"))
                .containsExactly("tulle/tulle-proxy:" + version.group(1));
    }

    @Test
    void noWebhookCanStopWhatDoesNotAskForTheMesh() throws IOException {
        for (JsonNode webhook : only("MutatingWebhookConfiguration").path("webhooks")) {
            assertThat(webhook.path("timeoutSeconds").asInt()).isEqualTo(5);
            List<JsonNode> asks = new ArrayList<>();
            webhook.at("/namespaceSelector/matchExpressions").forEach(asks::add);
            webhook.at("/objectSelector/matchExpressions").forEach(asks::add);
            assertThat(asks)
                    .as(webhook.path("name").asText())
                    .anySatisfy(
                            ask -> assertThat(ask.path("values").toString()).contains("tulle-system", "kube-system"));
            // Whoever asks by another mesh's label is never held up; whoever asks by ours must not start without a
            // proxy.
            if (!webhook.path("failurePolicy").asText().equals("Ignore")) {
                assertThat(asks).as(webhook.path("name").asText()).anySatisfy(ask -> {
                    assertThat(ask.path("key").asText()).isEqualTo("tulle.dev/inject");
                    assertThat(ask.path("operator").asText()).isIn("Exists", "In");
                });
            }
        }
        for (JsonNode webhook : only("ValidatingWebhookConfiguration").path("webhooks")) {
            assertThat(webhook.path("failurePolicy").asText()).isEqualTo("Ignore");
        }
    }

    @Test
    void noAggregatedApiIsInstalledUnasked() throws IOException {
        // One without a server keeps the whole cluster from deleting namespaces: see install/traffic-metrics.md.
        assertThat(manifest())
                .noneSatisfy(object -> assertThat(object.path("kind").asText()).isEqualTo("APIService"));
        JsonNode api = manifest("traffic-metrics.yaml").getFirst();
        assertThat(api.path("kind").asText()).isEqualTo("APIService");
        assertThat(api.at("/metadata/name").asText()).isEqualTo("v1alpha1.metrics.smi-spec.io");
        assertThat(api.at("/spec/insecureSkipTLSVerify").asBoolean()).isFalse();
        // Less than what kinds of the same name have, so that 'kubectl get pods' means what it meant.
        assertThat(api.at("/spec/groupPriorityMinimum").asInt()).isBetween(1, 999);
    }

    private static JsonNode only(String kind) throws IOException {
        List<JsonNode> found = manifest().stream()
                .filter(object -> object.path("kind").asText().equals(kind))
                .toList();
        assertThat(found).as(kind).hasSize(1);
        return found.getFirst();
    }

    private static List<JsonNode> manifest() throws IOException {
        return manifest("tulle.yaml");
    }

    private static List<JsonNode> manifest(String file) throws IOException {
        YAMLMapper mapper = new YAMLMapper();
        try (var objects =
                mapper.readerFor(JsonNode.class).<JsonNode>readValues(Repository.text(INSTALL.resolve(file)))) {
            return objects.readAll();
        }
    }
}
