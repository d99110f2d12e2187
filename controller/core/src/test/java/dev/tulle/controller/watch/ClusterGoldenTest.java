package dev.tulle.controller.watch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.controller.assemble.Assembled;
import dev.tulle.controller.assemble.MeshAssembler;
import dev.tulle.controller.model.Mesh;
import dev.tulle.controller.resources.Problem;
import dev.tulle.controller.resources.Resources;
import dev.tulle.controller.translate.ProxyConfigs;
import dev.tulle.proxy.model.Destination;
import dev.tulle.proxy.model.DestinationKey;
import dev.tulle.proxy.model.ProxyCodec;
import dev.tulle.proxy.model.ProxyConfig;
import dev.tulle.proxy.model.TrustBundle;
import dev.tulle.proxy.model.WorkloadId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Whole translations of a cluster: {@code cluster/<case>/in/*.yaml} are objects as the API server has them, {@code in/ask.txt} what
 * every proxy asks for; {@code out/} has what each proxy is told, and the problems.
 *
 * <p>{@code -Dtulle.golden.write=true} writes the outputs anew; read the difference like code.
 */
class ClusterGoldenTest {
    private static final Path GOLDEN = Path.of("src/test/resources/cluster");
    private static final boolean WRITE = Boolean.getBoolean("tulle.golden.write");

    @TestFactory
    List<DynamicNode> everyClusterGivesItsFiles() throws IOException {
        List<DynamicNode> tests = new ArrayList<>();
        for (Path directory : entries(GOLDEN)) {
            SortedMap<String, String> given = translate(directory.resolve("in"));
            Path out = directory.resolve("out");
            if (WRITE) {
                write(out, given);
            }
            SortedSet<String> files = new TreeSet<>(given.keySet());
            for (Path file : entries(out)) {
                files.add(file.getFileName().toString());
            }
            for (String file : files) {
                tests.add(DynamicTest.dynamicTest(directory.getFileName() + "/" + file, () -> {
                    assertThat(given)
                            .as("what is translated; the file %s is not used", file)
                            .containsKey(file);
                    assertThat(out.resolve(file)).exists();
                    assertThat(given.get(file)).isEqualTo(Files.readString(out.resolve(file)));
                }));
            }
        }
        assertThat(tests).isNotEmpty();
        return tests;
    }

    private static SortedMap<String, String> translate(Path in) throws IOException {
        ClusterReader reader = new ClusterReader();
        List<DestinationKey> asked = new ArrayList<>();
        for (Path file : entries(in)) {
            String text = Files.readString(file);
            if (file.endsWith("ask.txt")) {
                text.lines().map(DestinationKey::parse).forEach(asked::add);
            } else {
                assertThat(YamlFile.read(text)).isInstanceOf(YamlFile.Documents.class);
                ((YamlFile.Documents) YamlFile.read(text)).documents().forEach(object -> reader.put(object.content()));
            }
        }
        Resources resources = reader.resources(List.of());
        Assembled assembled = MeshAssembler.assemble(resources);
        Mesh mesh = assembled.mesh();
        SortedMap<String, String> files = new TreeMap<>();
        for (WorkloadId workload : mesh.workloads().keySet()) {
            List<Destination> destinations = workload.equals(mesh.workloads().firstKey())
                    ? asked.stream()
                            .map(key -> ProxyConfigs.destination(mesh, workload, key))
                            .toList()
                    : List.of();
            files.put(
                    workload.namespace() + "_" + workload.name() + ".json",
                    ProxyCodec.encode(new ProxyConfig(
                            1,
                            ProxyConfigs.workloadConfig(mesh, workload).orElseThrow(),
                            destinations,
                            new TrustBundle(mesh.trustDomain(), List.of(), ""))));
        }
        files.put(
                "problems.txt",
                assembled.problems().stream()
                        .map((Problem problem) -> problem.severity() + " " + problem + "\n")
                        .sorted()
                        .collect(Collectors.joining()));
        files.put(
                "unready.txt",
                resources.unready().stream().map(workload -> workload + "\n").collect(Collectors.joining()));
        return files;
    }

    private static void write(Path out, SortedMap<String, String> files) throws IOException {
        Files.createDirectories(out);
        for (Path old : entries(out)) {
            Files.delete(old);
        }
        for (var file : files.entrySet()) {
            Files.writeString(out.resolve(file.getKey()), file.getValue());
        }
    }

    private static List<Path> entries(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.sorted().toList();
        }
    }
}
