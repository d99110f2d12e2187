package dev.tulle.quickstart;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class ShopTest {
    private static final Path MESH = Path.of("mesh");
    private static final Ports PORTS = new Ports(Ports.DEFAULT_BASE);

    @Test
    void workloadsInYamlAreTheInstancesThatAreStarted() throws IOException {
        List<JsonNode> workloads = documents(Files.readString(MESH.resolve("workloads.yaml")));

        assertThat(workloads)
                .extracting(workload -> workload.at("/metadata/name").asText())
                .containsExactlyElementsOf(
                        Shop.INSTANCES.stream().map(Shop.Instance::name).toList());
        for (int i = 0; i < workloads.size(); i++) {
            Shop.Instance instance = Shop.INSTANCES.get(i);
            JsonNode spec = workloads.get(i).path("spec");
            assertThat(spec.path("serviceAccount").asText()).isEqualTo(instance.account());
            assertThat(workloads.get(i).at("/metadata/namespace").asText()).isEqualTo(Shop.NAMESPACE);
            assertThat(workloads.get(i).at("/metadata/labels/version").asText()).isEqualTo(instance.version());
            if (instance.serves()) {
                JsonNode port = spec.path("ports").path(0);
                assertThat(port.path("application").asText()).isEqualTo("127.0.0.1:" + PORTS.application(instance));
                assertThat(port.path("listen").asInt()).isEqualTo(PORTS.listen(instance));
            } else {
                assertThat(spec.has("ports")).isFalse();
            }
            Map<String, Integer> calls = new TreeMap<>();
            for (JsonNode outbound : spec.path("outbound")) {
                calls.put(
                        outbound.path("service").asText(),
                        Integer.parseInt(outbound.path("listen").asText().replace("127.0.0.1:", "")));
            }
            assertThat(calls).as(instance.name()).isEqualTo(instance.calls());
        }
    }

    @Test
    void everyFileIsYamlAlsoWithTheStepsOfTheTourTaken() throws IOException {
        String split = Files.readString(MESH.resolve("reviews-split.yaml"));
        assertThat(documents(split)).hasSize(2);
        assertThat(documents(CheckSteps.uncommented(split))).hasSize(3).last().satisfies(iphone -> {
            assertThat(iphone.at("/spec/matches/0/name").asText()).isEqualTo("iphone");
            assertThat(iphone.at("/spec/backends/0/service").asText()).isEqualTo("reviews-v2");
        });

        String access = Files.readString(MESH.resolve("access.yaml"));
        String granted = access.replace("#- {kind", "- {kind");
        assertThat(sources(access)).doesNotContain("thief");
        assertThat(sources(granted)).filteredOn("thief"::equals).hasSize(3);

        for (String name : List.of("shop.yaml", "settings.yaml")) {
            assertThat(documents(Files.readString(MESH.resolve(name)))).isNotEmpty();
        }
    }

    @Test
    void noPortIsUsedTwiceAndThoseOfAProxyByHandStayFree() {
        assertThat(PORTS.all().keySet()).doesNotContain(15801, 15806, 15890, 15891, PORTS.relay());
        assertThat(new HashSet<>(PORTS.all().values()))
                .hasSameSizeAs(PORTS.all().values());
        assertThat(PORTS.all()).hasSize(2 + 1 + 8 * 3 + 7 * 2 + 7);
    }

    @Test
    void filesMoveToAnotherBase() {
        assertThat(new Ports(20_100)
                        .moved("application: \"127.0.0.1:15811\", listen: 15831, port: 8080, weight: 158001"))
                .isEqualTo("application: \"127.0.0.1:20111\", listen: 20131, port: 8080, weight: 158001");
    }

    @Test
    void theTourNamesFilesThatExist() {
        String tour = Tour.text(Path.of("."), PORTS, "install/tulle");
        for (String word : tour.split("\\s+", -1)) {
            if (word.startsWith("./mesh/") && word.length() > 7) {
                assertThat(MESH.resolve(word.replace("./mesh/", "").replace(":", "")))
                        .exists();
            }
        }
        assertThat(tour).contains("127.0.0.1:15827/try/catalog", "127.0.0.1:15819/stats");
    }

    private static List<String> sources(String text) throws IOException {
        List<String> names = new ArrayList<>();
        for (JsonNode document : documents(text)) {
            document.at("/spec/sources")
                    .forEach(source -> names.add(source.path("name").asText()));
        }
        return names;
    }

    private static List<JsonNode> documents(String text) throws IOException {
        YAMLMapper yaml = new YAMLMapper();
        try (MappingIterator<JsonNode> all = yaml.readerFor(JsonNode.class).readValues(text)) {
            return all.readAll();
        }
    }
}
