package dev.tulle.controller.watch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.controller.resources.MeshSettings;
import dev.tulle.controller.resources.Problem;
import dev.tulle.controller.resources.Problem.Severity;
import dev.tulle.controller.resources.Resources;
import dev.tulle.controller.resources.WorkloadResource;
import dev.tulle.controller.watch.YamlFile.Document;
import dev.tulle.controller.watch.YamlFile.Documents;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.smi.TrafficSplit;
import dev.tulle.smi.TrafficTarget;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ResourceReaderTest {
    private static final String SPLIT = """
            apiVersion: split.smi-spec.io/v1alpha4
            kind: TrafficSplit
            metadata: {name: shop, namespace: shop}
            spec:
              service: shop
              backends:
              - {service: shop-v1, weight: %s}
              - {service: shop-v2, weight: 10}
            """;
    private static final String TARGET = """
            apiVersion: access.smi-spec.io/v1alpha3
            kind: TrafficTarget
            metadata: {name: db, namespace: shop}
            spec:
              destination: {kind: ServiceAccount, name: %s}
              sources:
              - {kind: ServiceAccount, name: web}
              rules:
              - {kind: %s, name: all}
            """;
    private static final String WORKLOAD = """
            apiVersion: tulle.dev/v1alpha1
            kind: Workload
            metadata: {name: web-1, namespace: shop}
            spec:
              address: %s
              ports:
              - name: http
                port: %s
                application: %s
                listen: 20080
                protocol: %s
              outbound:
              - {service: db, port: 80, listen: "%s"}
              healthCheck: {port: http, interval: %s}
            """;

    private final ResourceReader reader = new ResourceReader();

    private Resources read(String text) {
        return read("a.yaml", text);
    }

    private Resources read(String... filesAndTexts) {
        SortedMap<String, List<Document>> files = new TreeMap<>();
        for (int i = 0; i < filesAndTexts.length; i += 2) {
            files.put(filesAndTexts[i], ((Documents) YamlFile.read(filesAndTexts[i + 1])).documents());
        }
        return reader.read(files, List.of());
    }

    private static List<String> problems(Resources resources) {
        return resources.problems().stream().map(Problem::toString).toList();
    }

    @Test
    void aNegativeWeightIsToldWithItsLineAndTheLastGoodSplitHolds() {
        read(SPLIT.formatted("90"));

        Resources resources = read(SPLIT.formatted("-1"));

        assertThat(resources.splits().getFirst().backends())
                .extracting(TrafficSplit.Backend::weight)
                .containsExactly(90L, 10L);
        assertThat(problems(resources))
                .singleElement()
                .asString()
                .startsWith("a.yaml:7: TrafficSplit shop/shop, spec.backends[0].weight: ")
                .endsWith("kept as it was before");
    }

    @Test
    void aBadSplitThatWasNeverGoodIsLeftOutAndEverythingElseHolds() {
        Resources resources = read(SPLIT.formatted("-1") + "---\n" + TARGET.formatted("db", "TCPRoute"));

        assertThat(resources.splits()).isEmpty();
        assertThat(resources.targets()).hasSize(1);
        assertThat(resources.problems()).singleElement().satisfies(problem -> {
            assertThat(problem.severity()).isEqualTo(Severity.ERROR);
            assertThat(problem.outcome()).isEqualTo("left out");
        });
    }

    @Test
    void aBadTargetGrantsNothingAndKeepsItsAccountClosed() {
        read(TARGET.formatted("db", "TCPRoute"));

        Resources resources = read(TARGET.formatted("db", "Nonsense"));

        TrafficTarget target = resources.targets().getFirst();
        assertThat(target.destination().name()).isEqualTo("db");
        assertThat(target.sources()).isEmpty();
        assertThat(target.rules()).isEmpty();
        assertThat(problems(resources))
                .singleElement()
                .asString()
                .startsWith("a.yaml:9: TrafficTarget shop/db, spec.rules[0].kind: ")
                .endsWith("grants nothing; service account shop/db stays closed");
    }

    @Test
    void aTargetThatLostItsDestinationKeepsClosedWhatItGuardedBefore() {
        read(TARGET.formatted("db", "TCPRoute"));

        Resources once = read(TARGET.formatted("''", "TCPRoute"));
        Resources again = read(TARGET.formatted("''", "TCPRoute"));

        assertThat(once.targets().getFirst().destination().name()).isEqualTo("db");
        assertThat(again).isEqualTo(once);
        assertThat(again.targets().getFirst().rules()).isEmpty();
    }

    @Test
    void aTargetWithoutAGoodNameKeepsItsAccountClosed() {
        Resources resources =
                read(TARGET.formatted("db", "TCPRoute").replace("name: db, namespace", "name: DB, namespace"));

        assertThat(resources.targets()).singleElement().satisfies(target -> {
            assertThat(target.destination().namespace()).isEqualTo("shop");
            assertThat(target.destination().name()).isEqualTo("db");
            assertThat(target.sources()).isEmpty();
        });
        assertThat(problems(resources))
                .singleElement()
                .asString()
                .startsWith("a.yaml:3: metadata.name: TrafficTarget: 'DB' is not a name");
    }

    @Test
    void aTargetWhoseNameIsTakenKeepsItsAccountClosed() {
        Resources resources =
                read(TARGET.formatted("db", "TCPRoute") + "---\n" + TARGET.formatted("cache", "TCPRoute"));

        assertThat(resources.targets())
                .extracting(
                        target -> target.destination().name(),
                        target -> target.rules().size())
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple("db", 1), org.assertj.core.groups.Tuple.tuple("cache", 0));
    }

    @Test
    void anObjectThatIsGoneIsNotBroughtBack() {
        read(SPLIT.formatted("90"));
        read("# nothing");

        assertThat(read(SPLIT.formatted("-1")).splits()).isEmpty();
    }

    @Test
    void unknownKindsAreToldAndTheRestHolds() {
        Resources resources = read("""
                apiVersion: apps/v1
                kind: Deployment
                metadata: {name: web, namespace: shop}
                ---
                apiVersion: access.smi-spec.io/v1alpha4
                kind: IdentityBinding
                metadata: {name: web, namespace: shop}
                ---
                apiVersion: v1
                kind: ServiceAccount
                metadata: {name: web, namespace: shop}
                """);

        assertThat(resources.serviceAccounts()).hasSize(1);
        assertThat(problems(resources))
                .containsExactly(
                        "a.yaml:2: Deployment shop/web, kind: Deployment of apps/v1 is not a kind that is read here ->"
                                + " left out",
                        "a.yaml:6: IdentityBinding shop/web, kind: IdentityBinding of access.smi-spec.io/v1alpha4 is not a"
                                + " kind that is read here -> left out");
    }

    @Test
    void documentsWithoutKindOrNameAreToldWithTheirLine() {
        Resources resources = read("""
                apiVersion: v1
                metadata: {name: web}
                ---
                apiVersion: v1
                kind: Service
                metadata: {namespace: shop}
                ---
                - a list
                """);

        assertThat(problems(resources))
                .containsExactly(
                        "a.yaml:1: kind: is missing; every document needs both -> the document is left out",
                        "a.yaml:6: metadata.name: Service: is missing -> the document is left out",
                        "a.yaml:8: apiVersion: is missing; every document needs both -> the document is left out");
    }

    @Test
    void ofTwoObjectsOfOneNameTheOneInTheFirstFileHolds() {
        Resources resources = read("b.yaml", SPLIT.formatted("2"), "a.yaml", "\n" + SPLIT.formatted("1"));

        assertThat(resources.splits().getFirst().backends().getFirst().weight()).isEqualTo(1);
        assertThat(problems(resources))
                .containsExactly(
                        "b.yaml:3: TrafficSplit shop/shop, metadata.name: is defined at a.yaml:4 already -> the"
                                + " first one holds");
    }

    @Test
    void aListHoldsItsItems() {
        Resources resources = read("""
                apiVersion: v1
                kind: List
                items:
                - apiVersion: v1
                  kind: ServiceAccount
                  metadata: {name: web, namespace: shop}
                - apiVersion: v1
                  kind: Service
                  metadata: {name: web, namespace: shop}
                  spec:
                    ports:
                    - port: many
                """);

        assertThat(resources.serviceAccounts()).hasSize(1);
        assertThat(problems(resources))
                .containsExactly("a.yaml:12: Service shop/web, spec.ports[0].port: many is not a whole number from 1 to"
                        + " 65535 -> left out");
    }

    @Test
    void anchorsAndMergesAreUnderstood() {
        Resources resources = read("""
                apiVersion: tulle.dev/v1alpha1
                kind: Workload
                metadata: {name: web-1, namespace: shop}
                spec:
                  ports:
                  - &usual {port: 80, listen: 20080, protocol: http}
                  - <<: *usual
                    port: 81
                    listen: 20081
                """);

        assertThat(resources.problems()).isEmpty();
        assertThat(resources.workloads().getFirst().ports())
                .extracting(WorkloadResource.Port::port, WorkloadResource.Port::listen)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple(80, 20080), org.assertj.core.groups.Tuple.tuple(81, 20081));
    }

    @Test
    void theWorkloadInOurOwnManualIsRead() throws IOException {
        String manual = Files.readString(Path.of("README.md"));
        int begin = manual.indexOf("```yaml") + "```yaml".length();

        Resources resources = read(manual.substring(begin, manual.indexOf("```", begin)));

        assertThat(resources.problems()).isEmpty();
        assertThat(resources.workloads()).singleElement().satisfies(workload -> {
            assertThat(workload.ports()).hasSize(1);
            assertThat(workload.outbound()).hasSize(1);
            assertThat(workload.healthCheck()).isPresent();
        });
    }

    @Test
    void aWorkloadHasItsDefaults() {
        WorkloadResource workload = read("""
                        apiVersion: tulle.dev/v1alpha1
                        kind: Workload
                        metadata: {name: web-1}
                        spec:
                          ports: [{port: 8080, listen: 20080}]
                        """).workloads().getFirst();

        assertThat(workload.id()).hasToString("default/web-1");
        assertThat(workload.owner()).isEqualTo("web-1");
        assertThat(workload.serviceAccount()).isEqualTo("default");
        assertThat(workload.address()).isEqualTo("127.0.0.1");
        assertThat(workload.ports().getFirst().application()).isEqualTo(new HostPort("127.0.0.1", 8080));
        assertThat(workload.healthCheck()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "10.0.0.300 | 80 | 127.0.0.1:1 | http | 127.0.0.1:2 | 1s | a.yaml:5: spec.address: '10.0.0.300' is neither",
                "10.0.0.1 | 0 | 127.0.0.1:1 | http | 127.0.0.1:2 | 1s | a.yaml:8: spec.ports[0].port: 0 is not a whole number",
                "10.0.0.1 | 65536 | 127.0.0.1:1 | http | 127.0.0.1:2 | 1s | a.yaml:8: spec.ports[0].port: 65536 is not",
                "10.0.0.1 | 80 | 127.0.0.1 | http | 127.0.0.1:2 | 1s | a.yaml:9: spec.ports[0].application: '127.0.0.1' is not an address and port",
                "10.0.0.1 | 80 | 10.0.0.1:20080 | http | 127.0.0.1:2 | 1s | a.yaml:10: spec.ports[0].listen: the proxy cannot listen on",
                "10.0.0.1 | 80 | 127.0.0.1:1 | htp | 127.0.0.1:2 | 1s | a.yaml:11: spec.ports[0].protocol: 'htp' is not one of detect, http, grpc, tcp",
                "10.0.0.1 | 80 | 127.0.0.1:1 | http | 127.0.0.1:x | 1s | a.yaml:13: spec.outbound[0].listen: '127.0.0.1:x' is not",
                "10.0.0.1 | 80 | 127.0.0.1:1 | http | 127.0.0.1:2 | 1 | a.yaml:14: spec.healthCheck.interval: '1' is not a time",
                "10.0.0.1 | 80 | 127.0.0.1:1 | http | 127.0.0.1:2 | 99ms | a.yaml:14: spec.healthCheck.interval: '99ms' is not a time",
            })
    void aBadFieldOfAWorkloadIsToldWithItsLine(
            String address,
            String port,
            String application,
            String protocol,
            String listen,
            String interval,
            String told) {
        String good = WORKLOAD.formatted("10.0.0.1", "80", "127.0.0.1:1", "http", "127.0.0.1:2", "1s");
        Resources before = read(good);
        assertThat(before.problems()).isEmpty();

        Resources resources = read(WORKLOAD.formatted(address, port, application, protocol, listen, interval));

        assertThat(resources.workloads()).isEqualTo(before.workloads());
        assertThat(problems(resources))
                .anySatisfy(problem -> assertThat(problem.replace("Workload shop/web-1, ", ""))
                        .startsWith(told)
                        .endsWith("kept as it was before"));
    }

    @Test
    void aMisspeltFieldOfAWorkloadIsRefused() {
        Resources resources = read("""
                apiVersion: tulle.dev/v1alpha1
                kind: Workload
                metadata: {name: web-1, namespace: shop}
                spec:
                  serviceacount: web
                """);

        assertThat(resources.workloads()).isEmpty();
        assertThat(problems(resources))
                .containsExactly("a.yaml:5: Workload shop/web-1, spec.serviceacount: no such field; there are owner,"
                        + " serviceAccount, address, ports, outbound, healthCheck -> left out");
    }

    @Test
    void settingsAreReadAndABadOneSpoilsOnlyItself() {
        Resources resources = read("""
                apiVersion: v1
                kind: ConfigMap
                metadata: {name: tulle-settings, namespace: tulle-system}
                data:
                  access: closed
                  root-generation: two
                  trust-domain: example.org
                  mesh-networks: 10.0.0.0/8, fd00::/8
                  colour: blue
                """);

        MeshSettings settings = resources.settings();
        assertThat(settings.access()).containsEntry("access", "closed");
        assertThat(settings.trustDomain()).isEqualTo(Optional.of("example.org"));
        assertThat(settings.networks()).containsExactly("10.0.0.0/8", "fd00::/8");
        assertThat(settings.rootGeneration()).isZero();
        assertThat(problems(resources))
                .containsExactly(
                        "a.yaml:6: ConfigMap tulle-system/tulle-settings, data.root-generation: 'two' is not a whole number"
                                + " from 0 -> this setting is left out, the others hold",
                        "a.yaml:9: ConfigMap tulle-system/tulle-settings, data.colour: no such field; there are access,"
                                + " unmeshed, same-identity, path-match, trust-domain, root-generation, mesh-networks, compat ->"
                                + " this setting is left out, the others hold");
    }

    @Test
    void aTrustDomainThatIsNoNameIsLeftOut() {
        Resources resources = read("""
                apiVersion: v1
                kind: ConfigMap
                metadata: {name: tulle-settings, namespace: tulle-system}
                data: {trust-domain: "Example Org", access: closed}
                """);

        assertThat(resources.settings().trustDomain()).isEmpty();
        assertThat(resources.settings().access()).containsEntry("access", "closed");
        assertThat(problems(resources))
                .singleElement()
                .asString()
                .contains("'Example Org' is not a lower-case DNS name");
    }

    @Test
    void otherConfigMapsAreNoneOfOurBusinessUnlessTheyLookLikeSettings() {
        Resources resources = read("""
                apiVersion: v1
                kind: ConfigMap
                metadata: {name: app, namespace: shop}
                ---
                apiVersion: v1
                kind: ConfigMap
                metadata: {name: tulle-settings, namespace: shop}
                """);

        assertThat(resources.settings()).isEqualTo(MeshSettings.NONE);
        assertThat(problems(resources))
                .singleElement()
                .asString()
                .contains("settings of the mesh are read from namespace tulle-system only");
    }
}
