package dev.tulle.conformance.kubernetes.install;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tulle.conformance.kubernetes.Place;
import dev.tulle.conformance.kubernetes.Tulle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The command says of a cluster what it says of the manifests that were applied to it. */
@Tag("cluster")
class CommandTest {
    private static final Path INSTALL = Tulle.manifest().resolveSibling(".").normalize();

    /** Namespaces of the manifests of other meshes. */
    private static final List<String> SPACES =
            List.of("bookbuyer", "bookstore", "bookthief", "bookwarehouse", "osm-system", "shop");

    /** Kinds of other meshes, by their definitions' names; what may stand in them is left open. */
    private static final List<String> KINDS = List.of(
            "config.openservicemesh.io v1alpha2 MeshConfig meshconfigs",
            "config.openservicemesh.io v1alpha2 MeshRootCertificate meshrootcertificates",
            "policy.openservicemesh.io v1alpha1 Egress egresses",
            "policy.openservicemesh.io v1alpha1 IngressBackend ingressbackends",
            "policy.openservicemesh.io v1alpha1 Retry retries",
            "policy.openservicemesh.io v1alpha1 Telemetry telemetries",
            "policy.openservicemesh.io v1alpha1 UpstreamTrafficSetting upstreamtrafficsettings",
            "linkerd.io v1alpha2 ServiceProfile serviceprofiles",
            "policy.linkerd.io v1alpha1 AuthorizationPolicy authorizationpolicies",
            "policy.linkerd.io v1alpha1 MeshTLSAuthentication meshtlsauthentications",
            "policy.linkerd.io v1beta1 Server servers",
            "policy.linkerd.io v1beta1 ServerAuthorization serverauthorizations",
            "policy.linkerd.io v1beta3 HTTPRoute httproutes",
            "example.com v1 Widget widgets");

    private static Place doubtful;

    @TempDir
    private Path directory = Path.of("");

    @BeforeAll
    static void start() {
        doubtful = Place.create("doubtful", Map.of());
        kubectl("label", "namespace", doubtful.name(), "tulle.dev/inject-");
        delete("namespace", SPACES);
        doubtful.applyText(KINDS.stream().map(CommandTest::definition).collect(Collectors.joining("---\n")));
        List<String> wait = new ArrayList<>(List.of("wait", "--for=condition=Established", "--timeout=60s"));
        KINDS.forEach(kind -> wait.add("crd/" + definitionName(kind)));
        kubectl(wait.toArray(String[]::new));
        for (String space : SPACES) {
            kubectl("create", "namespace", space);
            // Nothing of it is to run.
            kubectl("-n", space, "create", "quota", "no-pods", "--hard=pods=0");
        }
    }

    @AfterAll
    static void end() {
        doubtful.close();
        delete("namespace", SPACES);
        delete("crd", KINDS.stream().map(CommandTest::definitionName).toList());
    }

    @Test
    void lintSaysWhatIsDoubtfulInACluster() {
        doubtful.applyText("""
                apiVersion: v1
                kind: Service
                metadata: {name: web, annotations: {tulle.dev/retries: "1"}}
                spec: {selector: {app: web}, ports: [{port: 80}]}
                ---
                apiVersion: split.smi-spec.io/v1alpha1
                kind: TrafficSplit
                metadata: {name: web}
                spec: {service: web, backends: [{service: web-v1, weight: 500m}, {service: web, weight: 1}]}
                ---
                apiVersion: specs.smi-spec.io/v1alpha4
                kind: HTTPRouteGroup
                metadata: {name: pages}
                spec: {matches: [{name: metrics, pathRegex: /metrics, methods: [GET]}]}
                ---
                apiVersion: access.smi-spec.io/v1alpha1
                kind: TrafficTarget
                metadata: {name: nothing}
                destination: {kind: ServiceAccount, name: default, namespace: @NAMESPACE@}
                specs: [{kind: HTTPRouteGroup, name: pages, matches: [no-such-page]}]
                sources: [{kind: ServiceAccount, name: nobody, namespace: @NAMESPACE@}]
                """);

        Place.Output lint = tulle("lint", "--cluster", "-o", "json");

        assertThat(lint.code()).as(lint.text()).isEqualTo(1);
        Set<String> said = new TreeSet<>();
        for (JsonNode finding : lint.json().path("findings")) {
            if (finding.path("namespace").asText().equals(doubtful.name())
                    || finding.path("name").asText().equals(doubtful.name())) {
                said.add("%s %s %s"
                        .formatted(
                                finding.path("rule").asText(),
                                finding.path("kind").asText(),
                                finding.path("field").asText()));
            }
        }
        assertThat(said)
                .containsExactly(
                        "missing-match TrafficTarget spec.rules[0]",
                        "missing-service TrafficSplit spec.backends[0].service",
                        "namespace-not-meshed Namespace metadata.labels",
                        "no-endpoints TrafficSplit spec.backends[1].service",
                        "regex-open-end HTTPRouteGroup spec.matches[0].pathRegex",
                        "unused-account TrafficTarget spec.sources[0].name");
    }

    @ParameterizedTest
    @ValueSource(strings = {"osm", "linkerd-smi"})
    void aClusterIsMigratedAsItsManifests(String mesh) throws IOException {
        String in = INSTALL.resolve("cli/src/test/resources/migrate/%s/in".formatted(mesh))
                .toString();
        kubectl("apply", "--server-side", "-f", in);
        Path ofFiles = directory.resolve("files");
        Path ofCluster = directory.resolve("cluster");

        Place.Output files = tulle("migrate", mesh, in, "-d", ofFiles.toString(), "-o", "json");
        Place.Output cluster = tulle("migrate", mesh, "--cluster", "-d", ofCluster.toString(), "-o", "json");

        Set<String> theirs = objects(files);
        assertThat(said(cluster, theirs)).containsExactlyElementsOf(said(files, theirs));
        assertThat(Files.readString(ofCluster.resolve("tulle-migrated.yaml")))
                .isEqualTo(Files.readString(ofFiles.resolve("tulle-migrated.yaml")));
        // What was written can be applied where it comes from.
        String written = Arrays.stream(
                        Files.readString(ofCluster.resolve("cluster.yaml")).split("---\n", -1))
                .filter(text -> SPACES.stream().anyMatch(space -> text.contains("namespace: " + space + "\n")))
                .collect(Collectors.joining("---\n"));
        assertThat(written).contains("kind: Deployment", "kind: Service\n");
        Place.run(
                        List.of(
                                "kubectl",
                                "apply",
                                "--server-side",
                                "--force-conflicts",
                                "--dry-run=server",
                                "-f",
                                "-"),
                        written)
                .succeeded();
    }

    /** Every object that is spoken of. */
    private static Set<String> objects(Place.Output migration) {
        return StreamSupport.stream(migration.json().path("notes").spliterator(), false)
                .map(note -> note.path("object").asText())
                .collect(Collectors.toSet());
    }

    /** What was done with some objects; not of what stayed as it was, of which a cluster has more and less. */
    private static Set<String> said(Place.Output migration, Set<String> objects) {
        assertThat(migration.code()).as(migration.text()).isEqualTo(1);
        return StreamSupport.stream(migration.json().path("notes").spliterator(), false)
                .filter(note -> !note.path("outcome").asText().equals("untouched"))
                .filter(note -> objects.contains(note.path("object").asText()))
                .map(note -> "%s %s, %s: %s"
                        .formatted(
                                note.path("outcome").asText(),
                                note.path("object").asText(),
                                note.path("field").asText(),
                                note.path("said").asText()))
                // The API server gives each kind in the version it likes best.
                .map(note -> note.replaceFirst("in version split.smi-spec.io/\\w+", ""))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static Place.Output tulle(String... arguments) {
        List<String> command = new ArrayList<>(List.of(INSTALL.resolve("tulle").toString()));
        command.addAll(List.of(arguments));
        return Place.run(command, "");
    }

    private static void kubectl(String... arguments) {
        List<String> command = new ArrayList<>(List.of("kubectl"));
        command.addAll(List.of(arguments));
        Place.run(command, "").succeeded();
    }

    private static void delete(String kind, List<String> names) {
        List<String> command = new ArrayList<>(List.of("delete", kind, "--ignore-not-found", "--timeout=60s"));
        command.addAll(names);
        kubectl(command.toArray(String[]::new));
    }

    private static String definitionName(String kind) {
        String[] words = kind.split(" ", -1);
        return words[3] + "." + words[0];
    }

    private static String definition(String kind) {
        String[] words = kind.split(" ", -1);
        return """
                apiVersion: apiextensions.k8s.io/v1
                kind: CustomResourceDefinition
                metadata: {name: %s}
                spec:
                  group: %s
                  scope: Namespaced
                  names: {kind: %s, plural: %s, singular: %s}
                  versions:
                  - name: %s
                    served: true
                    storage: true
                    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
                """.formatted(
                definitionName(kind), words[0], words[2], words[3], words[2].toLowerCase(Locale.ROOT), words[1]);
    }
}
