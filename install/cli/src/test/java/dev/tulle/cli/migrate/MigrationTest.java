package dev.tulle.cli.migrate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.cli.migrate.Note.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MigrationTest {
    private static final String TARGET = """
            apiVersion: access.smi-spec.io/v1alpha3
            kind: TrafficTarget
            metadata: {name: t, namespace: shop}
            spec:
              destination: {kind: ServiceAccount, name: books, namespace: shop}
              rules: [{kind: HTTPRouteGroup, name: routes, matches: [all]}]
              sources: [{kind: ServiceAccount, name: web, namespace: shop}]
            """;

    @Test
    void permissiveTrafficStaysOpenWhereNoTargetWouldCloseIt() {
        assertThat(osm(meshConfig("true")).files().get(Objects.NEW_FILE)).contains("access: open");
    }

    @Test
    void permissiveTrafficWithTargetsIsLetInAndCounted() {
        Migrated migrated = osm(meshConfig("true") + "---\n" + TARGET);

        assertThat(migrated.files().get(Objects.NEW_FILE)).contains("access: audit");
        assertThat(migrated.notes()).anySatisfy(note -> {
            assertThat(note.outcome()).isEqualTo(Outcome.APPROXIMATED);
            assertThat(note.field()).isEqualTo("spec.traffic.enablePermissiveTrafficPolicyMode");
            assertThat(note.cure()).contains("access: closed");
        });
    }

    @Test
    void settingsThatAreThereAreKept() {
        Migrated migrated = osm(meshConfig("false") + """
                ---
                apiVersion: v1
                kind: ConfigMap
                metadata: {name: tulle-settings, namespace: tulle-system}
                data:
                  trust-domain: example.org # ours
                """);

        assertThat(migrated.files()).containsOnlyKeys("in.yaml");
        assertThat(migrated.files().get("in.yaml"))
                .contains("trust-domain: example.org # ours", "access: closed", "path-match: full");
    }

    @Test
    void aRetryOfAServiceThatIsNotThereSaysWhatToWriteOnIt() {
        Migrated migrated = osm("""
                apiVersion: policy.openservicemesh.io/v1alpha1
                kind: Retry
                metadata: {name: r, namespace: shop}
                spec:
                  source: {kind: ServiceAccount, name: web}
                  destinations: [{kind: Service, name: books, namespace: shop}]
                  retryPolicy: {retryOn: 5xx, numRetries: 2}
                """);

        assertThat(migrated.notes()).anySatisfy(note -> {
            assertThat(note.outcome()).isEqualTo(Outcome.UNSUPPORTED);
            assertThat(note.cure()).contains("tulle.dev/retries: \"2\"");
        });
    }

    @Test
    void dstOverridesThatNoSplitMadeBecomeOne() {
        Migrated migrated = linkerd("""
                apiVersion: linkerd.io/v1alpha2
                kind: ServiceProfile
                metadata: {name: books.shop.svc.cluster.local, namespace: shop}
                spec:
                  dstOverrides:
                  - {authority: "books-v1.shop.svc.cluster.local:80", weight: 500m}
                  - {authority: books-v2.shop.svc.cluster.local, weight: 1500m}
                """);

        assertThat(migrated.files().get(Objects.NEW_FILE))
                .contains("split.smi-spec.io/v1alpha1", "service: books\n", "service: books-v2", "weight: 1500m");
    }

    @Test
    void whatIsNoObjectOfAMeshIsWrittenByteForByte() {
        String text =
                "# nothing but a comment\n---\nimage:   {tag: 1}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name:  s}\n";

        Migrated migrated = linkerd(text);

        assertThat(migrated.files()).isEqualTo(Map.of("in.yaml", text));
        assertThat(migrated.notes()).extracting(Note::outcome).containsExactly(Outcome.UNTOUCHED);
    }

    @ParameterizedTest
    @ValueSource(strings = {"osm", "linkerd-smi"})
    void whateverStandsInFilesIsMigratedOrRefused(String mesh) throws IOException {
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(7);
        List<String> words =
                List.of("", "[]", "{}", "null", "-1", "a: b", "[{}]", "{name: [1]}", "\"x\"", "1.5", "true", "~");
        List<Path> files;
        try (Stream<Path> all = Files.list(Path.of("src/test/resources/migrate", mesh, "in"))) {
            files = all.sorted().toList();
        }
        int migrated = 0;
        for (int round = 0; round < 600; round++) {
            List<String> lines = new ArrayList<>(Files.readAllLines(files.get(random.nextInt(files.size()))));
            int at = random.nextInt(lines.size());
            String line = lines.get(at);
            int colon = random.nextBoolean() ? line.indexOf(": ") : line.lastIndexOf(": ");
            String word = words.get(random.nextInt(words.size()));
            lines.set(
                    at,
                    random.nextInt(4) == 0
                            ? ""
                            : colon < 0
                                    ? line + " " + word
                                    : line.substring(0, colon + 2)
                                            + word
                                            + "}".repeat(Math.max(0, unclosed(line.substring(0, colon)))));
            String text = String.join("\n", lines);
            try {
                if (mesh.equals("osm")) {
                    osm(text);
                } else {
                    linkerd(text);
                }
                migrated++;
            } catch (IllegalArgumentException e) {
                assertThat(e.getMessage()).as(text).startsWith("in.yaml: not YAML");
            }
        }
        assertThat(migrated).isGreaterThan(200);
    }

    private static int unclosed(String text) {
        return (int) (text.chars().filter(c -> c == '{').count()
                - text.chars().filter(c -> c == '}').count());
    }

    private static String meshConfig(String permissive) {
        return """
                apiVersion: config.openservicemesh.io/v1alpha2
                kind: MeshConfig
                metadata: {name: osm-mesh-config, namespace: osm-system}
                spec: {traffic: {enablePermissiveTrafficPolicyMode: %s, enableEgress: true}}
                """.formatted(permissive);
    }

    private static Migrated osm(String text) {
        return OsmMigration.migrate(new TreeMap<>(Map.of("in.yaml", text)));
    }

    private static Migrated linkerd(String text) {
        return LinkerdMigration.migrate(new TreeMap<>(Map.of("in.yaml", text)));
    }
}
