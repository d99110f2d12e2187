package dev.tulle.controller.translate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.controller.assemble.Assembled;
import dev.tulle.controller.assemble.MeshAssembler;
import dev.tulle.controller.model.Mesh;
import dev.tulle.controller.model.Workload;
import dev.tulle.controller.resources.Problem;
import dev.tulle.controller.resources.Resources;
import dev.tulle.controller.watch.DirectorySource;
import dev.tulle.proxy.model.Destination;
import dev.tulle.proxy.model.OutboundListener;
import dev.tulle.proxy.model.ProxyCodec;
import dev.tulle.proxy.model.ProxyConfig;
import dev.tulle.proxy.model.TrustBundle;
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
 * Whole translations: {@code golden/<case>/in/*.yaml} beside {@code out/<namespace>_<workload>.json} and {@code out/problems.txt}.
 *
 * <p>{@code -Dtulle.golden.write=true} writes the outputs anew; read the difference like code.
 */
class GoldenTest {
    private static final Path GOLDEN = Path.of("src/test/resources/golden");
    private static final boolean WRITE = Boolean.getBoolean("tulle.golden.write");

    @TestFactory
    List<DynamicNode> everyCaseGivesItsFiles() throws IOException {
        List<DynamicNode> tests = new ArrayList<>();
        for (Path directory : entries(GOLDEN)) {
            String name = directory.getFileName().toString();
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
                tests.add(DynamicTest.dynamicTest(name + "/" + file, () -> assertSame(out, file, given)));
            }
        }
        assertThat(tests).isNotEmpty();
        return tests;
    }

    private static void assertSame(Path out, String file, SortedMap<String, String> given) throws IOException {
        assertThat(given)
                .as("what is translated; the file %s is not used", file)
                .containsKey(file);
        assertThat(out.resolve(file)).exists();
        assertThat(given.get(file)).isEqualTo(Files.readString(out.resolve(file)));
    }

    private static SortedMap<String, String> translate(Path in) {
        List<Resources> read = new ArrayList<>();
        try (DirectorySource source = new DirectorySource(in)) {
            source.start(read::add);
        }
        Assembled assembled = MeshAssembler.assemble(read.getFirst());
        Mesh mesh = assembled.mesh();
        SortedMap<String, String> files = new TreeMap<>();
        for (Workload workload : mesh.workloads().values()) {
            List<Destination> destinations = workload.outbound().stream()
                    .map(OutboundListener::destination)
                    .distinct()
                    .map(key -> ProxyConfigs.destination(mesh, workload.id(), key))
                    .toList();
            ProxyConfig config = new ProxyConfig(
                    1,
                    ProxyConfigs.workloadConfig(mesh, workload.id()).orElseThrow(),
                    destinations,
                    new TrustBundle(mesh.trustDomain(), List.of(), ""));
            files.put(workload.id().namespace() + "_" + workload.id().name() + ".json", ProxyCodec.encode(config));
        }
        if (!assembled.problems().isEmpty()) {
            files.put(
                    "problems.txt",
                    assembled.problems().stream().map(GoldenTest::line).collect(Collectors.joining("\n", "", "\n")));
        }
        return files;
    }

    private static String line(Problem problem) {
        return problem.severity() + " " + problem;
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
