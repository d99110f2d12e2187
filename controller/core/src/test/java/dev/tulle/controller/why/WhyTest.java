package dev.tulle.controller.why;

import static dev.tulle.controller.Fixtures.cluster;
import static dev.tulle.controller.Fixtures.header;
import static dev.tulle.controller.Fixtures.path;
import static dev.tulle.controller.Fixtures.routes;
import static dev.tulle.controller.Fixtures.service;
import static dev.tulle.controller.Fixtures.split;
import static dev.tulle.controller.Fixtures.target;
import static dev.tulle.controller.Fixtures.tcpRoute;
import static dev.tulle.controller.Fixtures.unready;
import static dev.tulle.controller.Fixtures.workload;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.controller.Fixtures.Part;
import dev.tulle.controller.assemble.MeshAssembler;
import dev.tulle.controller.model.Mesh;
import dev.tulle.controller.resources.Resources;
import dev.tulle.controller.resources.ServiceResource.Target;
import dev.tulle.controller.watch.DirectorySource;
import dev.tulle.controller.why.WhyAnswer.BackendAnswer;
import dev.tulle.controller.why.WhyAnswer.Outcome;
import dev.tulle.proxy.model.Protocol;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WhyTest {
    private static Mesh mesh(Part... parts) {
        return MeshAssembler.assemble(cluster(parts)).mesh();
    }

    private static WhyAnswer ask(Mesh mesh, String from, String to, String method, String path) {
        return Why.ask(mesh, new WhyQuestion(from, to, Optional.empty(), Optional.of(AskedRequest.of(method, path))));
    }

    private static WhyAnswer ask(Mesh mesh, String from, String to) {
        return Why.ask(mesh, new WhyQuestion(from, to, Optional.empty(), Optional.empty()));
    }

    private static Part http(String name) {
        return service(name).port("http", 80, new Target.Numbered(80), "");
    }

    @Test
    void anOpenWorkloadTakesEveryCaller() {
        Mesh mesh = mesh(http("db"), workload("db-1"), workload("web-1"));

        WhyAnswer answer = ask(mesh, "shop/web-1", "shop/db", "GET", "/");

        assertThat(answer.outcome()).isEqualTo(Outcome.ALLOWED);
        assertThat(answer.called()).isEqualTo("shop/db:80");
        assertThat(answer.caller()).isEqualTo("spiffe://cluster.local/ns/shop/sa/web");
        assertThat(answer.summary())
                .isEqualTo("GET / from spiffe://cluster.local/ns/shop/sa/web to shop/db:80 passes: shop/db-1 is open to"
                        + " everyone (the default)");
        assertThat(answer.backends().getFirst().cure()).isEmpty();
    }

    @Test
    void theGrantThatLetsACallInIsNamed() {
        Mesh mesh = mesh(
                http("db"),
                workload("db-1"),
                workload("web-1"),
                target("a").on("db").from("other").routes("reads"),
                target("b").on("db").from("web").routes("reads"),
                routes("reads", path("get", "/rows")));

        WhyAnswer answer = ask(mesh, "web-1", "db", "GET", "/rows/1?x=y");

        assertThat(answer.outcome()).isEqualTo(Outcome.ALLOWED);
        BackendAnswer backend = answer.backends().getFirst();
        assertThat(backend.reason()).isEqualTo("shop/b");
        assertThat(backend.detail()).isEqualTo("TrafficTarget shop/b lets it in");
        assertThat(backend.grants())
                .extracting(WhyAnswer.GrantAnswer::target, WhyAnswer.GrantAnswer::allows)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple("shop/a", false),
                        org.assertj.core.groups.Tuple.tuple("shop/b", true));
    }

    @Test
    void aRefusalNamesReasonSettingAndItsOrigin() {
        Mesh mesh = mesh(
                http("db"),
                workload("db-1"),
                workload("thief-1"),
                target("a").on("db").from("web").routes("reads"),
                routes("reads", path("get", "/rows")));

        WhyAnswer answer = ask(mesh, "thief-1", "db", "GET", "/rows");

        assertThat(answer.outcome()).isEqualTo(Outcome.DENIED);
        BackendAnswer backend = answer.backends().getFirst();
        assertThat(backend.reason()).isEqualTo("no-grant");
        assertThat(backend.access()).isEqualTo("closed");
        assertThat(backend.accessFrom()).isEqualTo("TrafficTarget shop/a, which names its service account db");
        assertThat(backend.workloads()).containsExactly("shop/db-1");
        assertThat(backend.cure()).contains("kind: TrafficTarget", "name: thief", "kind: HTTPRouteGroup");
    }

    @Test
    void anUnmeshedCallerIsRefusedByAClosedWorkloadAndNoTargetCuresThat() {
        Mesh mesh = mesh(
                http("db"), workload("db-1"), target("a").on("db").from("web").tcp("all"), tcpRoute("all"));

        WhyAnswer answer = ask(mesh, WhyQuestion.UNMESHED, "db", "GET", "/");

        assertThat(answer.outcome()).isEqualTo(Outcome.DENIED);
        assertThat(answer.caller()).isEqualTo("unmeshed");
        assertThat(answer.backends().getFirst().reason()).isEqualTo("no-identity");
        assertThat(answer.backends().getFirst().cure()).isEmpty();
    }

    @Test
    void anAuditedWorkloadLetsPassAndSaysWhatWouldBeMissing() {
        Mesh mesh = mesh(http("db"), workload("db-1").annotation("tulle.dev/access", "audit"), workload("web-1"));

        WhyAnswer answer = ask(mesh, "web-1", "db", "GET", "/");

        assertThat(answer.outcome()).isEqualTo(Outcome.AUDITED);
        assertThat(answer.backends().getFirst().audited()).isTrue();
        assertThat(answer.backends().getFirst().cure()).contains("TrafficTarget");
    }

    @Test
    void theSplitThatTakesARequestIsNamedWithItsShares() {
        Mesh mesh = mesh(
                http("shop"),
                http("shop-v1"),
                http("shop-v2"),
                workload("shop-v1-1"),
                workload("shop-v2-1"),
                workload("web-1"),
                split("shop").called("plain").to("shop-v1", 9).to("shop-v2", 1),
                split("shop").called("phones").matching("phones").to("shop-v2", 1),
                routes("phones", header("iphone", "user-agent", ".*iPhone.*")));

        WhyAnswer plain = ask(mesh, "web-1", "shop", "GET", "/");
        WhyAnswer phone = Why.ask(
                mesh,
                new WhyQuestion(
                        "web-1",
                        "shop",
                        Optional.of(80),
                        Optional.of(new AskedRequest(
                                "GET", "/", new TreeMap<>(Map.of("User-Agent", List.of("an iPhone 15")))))));

        assertThat(plain.route()).isEqualTo("shop/plain");
        assertThat(plain.backends())
                .extracting(BackendAnswer::cluster, BackendAnswer::weight)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple("shop/shop-v1", 9L),
                        org.assertj.core.groups.Tuple.tuple("shop/shop-v2", 1L));
        assertThat(phone.route()).isEqualTo("shop/phones");
        assertThat(phone.routeReason()).contains("one of its matches holds");
        assertThat(phone.backends()).extracting(BackendAnswer::cluster).containsExactly("shop/shop-v2");
    }

    @Test
    void backendsThatDisagreeGiveAPartlyAnswer() {
        Mesh mesh = mesh(
                http("shop"),
                http("shop-v1"),
                http("shop-v2"),
                workload("shop-v1-1"),
                workload("shop-v2-1"),
                workload("web-1"),
                split("shop").to("shop-v1", 1).to("shop-v2", 1),
                target("a").on("shop-v2").from("other").tcp("all"),
                tcpRoute("all"));

        WhyAnswer answer = ask(mesh, "web-1", "shop", "GET", "/");

        assertThat(answer.outcome()).isEqualTo(Outcome.PARTLY);
        assertThat(answer.backends()).extracting(BackendAnswer::allowed).containsExactly(true, false);
    }

    @Test
    void aServiceWithNothingBehindItHasNoEndpoints() {
        Mesh mesh = mesh(http("db"), workload("web-1"));

        assertThat(ask(mesh, "web-1", "db", "GET", "/").outcome()).isEqualTo(Outcome.NO_ENDPOINTS);
    }

    @Test
    void aPathThatNoProxyTakesIsMalformed() {
        Mesh mesh = mesh(http("db"), workload("db-1"), workload("web-1"));

        WhyAnswer answer = ask(mesh, "web-1", "db", "GET", "/a%2fb");

        assertThat(answer.outcome()).isEqualTo(Outcome.MALFORMED);
        assertThat(answer.summary()).contains("400", "encoded-separator");
    }

    @Test
    void aConnectionToAnHttpPortIsAskedAsAPlainGet() {
        Mesh mesh = mesh(http("db"), workload("db-1"), workload("web-1"));

        assertThat(ask(mesh, "web-1", "db").summary()).startsWith("GET / from ");
    }

    @Test
    void aRequestToATcpPortIsJudgedAsAConnection() {
        Mesh mesh = mesh(
                service("db"),
                workload("db-1").port("", 80, Optional.of(Protocol.TCP)),
                workload("web-1"),
                target("a").on("db").from("web").routes("all"),
                routes("all", path("any", "/")));

        WhyAnswer answer = ask(mesh, "web-1", "db", "GET", "/");

        assertThat(answer.outcome()).isEqualTo(Outcome.DENIED);
        assertThat(answer.backends().getFirst().reason()).isEqualTo("not-http");
        assertThat(answer.backends().getFirst().cure()).contains("kind: TCPRoute", "ports: [80]");
    }

    @Test
    void aWorkloadAServiceAccountOrASpiffeIdMayBeNamed() {
        Mesh mesh = mesh(http("db"), workload("db-1"), workload("web-1").serviceAccount("frontend"));

        assertThat(ask(mesh, "web-1", "workload:shop/db-1").called()).isEqualTo("shop/db-1:80");
        assertThat(ask(mesh, "sa:frontend", "db").caller()).endsWith("/sa/frontend");
        assertThat(ask(mesh, "spiffe://elsewhere/ns/a/sa/b", "db").caller()).isEqualTo("spiffe://elsewhere/ns/a/sa/b");
        assertThat(ask(mesh, "service:db", "db").caller()).endsWith("/sa/db");
    }

    @Test
    void namesThatLeadNowhereAreToldInOneSentence() {
        Mesh mesh = mesh(service("db").port(80).port(90), workload("db-1").port(80), workload("web-1"));

        assertThat(ask(mesh, "nobody", "db").summary())
                .isEqualTo("no workload, service or service account is called 'nobody'; say namespace/name");
        assertThat(ask(mesh, "web-1", "nothing").outcome()).isEqualTo(Outcome.UNKNOWN);
        assertThat(ask(mesh, "web-1", "db").summary()).isEqualTo("service shop/db has ports 80, 90: say which");
        assertThat(Why.ask(mesh, new WhyQuestion("web-1", "db", Optional.of(70), Optional.empty()))
                        .summary())
                .isEqualTo("service shop/db has no port 70; it has 80, 90");
    }

    @Test
    void endpointsThatAreNotReadyAreStillExplainedWhenThereIsNothingElse() {
        Mesh mesh = mesh(http("db"), workload("db-1"), workload("web-1"), unready("db-1"));

        assertThat(ask(mesh, "web-1", "db", "GET", "/").outcome()).isEqualTo(Outcome.ALLOWED);
    }

    @Test
    void theCureAppliedAsItIsLetsTheCallInAndNothingElse(@TempDir Path directory) throws IOException {
        Files.writeString(directory.resolve("shop.yaml"), """
                apiVersion: v1
                kind: Service
                metadata: {name: db, namespace: shop}
                spec: {selector: {app: db}, ports: [{name: http, port: 80}]}
                ---
                apiVersion: tulle.dev/v1alpha1
                kind: Workload
                metadata: {name: db-1, namespace: shop, labels: {app: db}, annotations: {tulle.dev/access: closed}}
                spec: {serviceAccount: db, ports: [{port: 80, listen: 20080}]}
                ---
                apiVersion: tulle.dev/v1alpha1
                kind: Workload
                metadata: {name: web-1, namespace: front}
                spec: {serviceAccount: web}
                """);
        List<String> paths = List.of("/rows/1.5(a)+b", "/", "/a\"b'c$d{e}~");
        for (String path : paths) {
            Files.deleteIfExists(directory.resolve("cure.yaml"));
            WhyAnswer before = ask(read(directory), "front/web-1", "shop/db", "DELETE", path);
            assertThat(before.outcome()).as(path).isEqualTo(Outcome.DENIED);

            Files.writeString(
                    directory.resolve("cure.yaml"), before.backends().getFirst().cure());

            Mesh cured = read(directory);
            assertThat(ask(cured, "front/web-1", "shop/db", "DELETE", path).outcome())
                    .as(path)
                    .isEqualTo(Outcome.ALLOWED);
            assertThat(ask(cured, "front/web-1", "shop/db", "GET", path).outcome())
                    .as(path)
                    .isEqualTo(Outcome.DENIED);
            assertThat(ask(cured, "front/web-1", "shop/db", "DELETE", path + "x")
                            .outcome())
                    .as(path)
                    .isEqualTo(Outcome.DENIED);
        }
    }

    private static Mesh read(Path directory) {
        List<Resources> read = new ArrayList<>();
        try (DirectorySource source = new DirectorySource(directory)) {
            source.start(read::add);
        }
        return MeshAssembler.assemble(read.getFirst()).mesh();
    }
}
