package dev.tulle.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.ServerSocket;
import org.junit.jupiter.api.Test;

class TulleTest {
    @Test
    void helpNamesEveryVerbAndTheExitCodes() {
        Ran ran = Ran.tulle("--help");

        assertThat(ran.exitCode()).isZero();
        assertThat(ran.out())
                .contains(
                        "controller",
                        "token",
                        "proxy",
                        "lint",
                        "check",
                        "stat",
                        "edges",
                        "why",
                        "denied",
                        "proxies",
                        "ca")
                .contains("Exit code: 0");
        assertThat(ran.out().lines().count()).isLessThan(40);
    }

    @Test
    void noVerbAndUnknownVerbsAreWrongUsage() {
        assertThat(Ran.tulle().exitCode()).isEqualTo(2);
        assertThat(Ran.tulle("frobnicate").exitCode()).isEqualTo(2);
        assertThat(Ran.tulle("frobnicate").err()).contains("frobnicate");
    }

    @Test
    void saysThatTheLauncherStartsTheController() {
        Ran ran = Ran.tulle("controller");

        assertThat(ran.exitCode()).isEqualTo(2);
        assertThat(ran.err()).contains("install/tulle controller");
    }

    @Test
    void checkIsContentWithAMeshThatIsWell() throws IOException {
        try (FakeController controller = FakeController.content()) {
            Ran ran = Ran.tulle("check", "--server", controller.address());

            assertThat(ran.exitCode()).as(ran.out() + ran.err()).isZero();
            assertThat(ran.out()).contains("controller-ready", "proxies-connected", "certificates", "root-rotation");
            assertThat(ran.out()).doesNotContain("error", "warning");
        }
    }

    @Test
    void checkNamesFileLineFieldAndCureOfABrokenObject() throws IOException {
        try (FakeController controller = FakeController.content().with("/api/v1/problems", """
                {"problems":[{"severity":"error","object":"TrafficSplit shop/reviews","field":"spec.backends[0].weight",
                 "place":"reviews.yaml:12:14","message":"weight is -1","remedy":"the last good split stays"}]}""")) {
            Ran ran = Ran.tulle("check", "--server", controller.address());

            assertThat(ran.exitCode()).isEqualTo(1);
            assertThat(ran.out())
                    .contains("reviews.yaml:12:14: TrafficSplit shop/reviews, spec.backends[0].weight: weight is -1")
                    .contains("-> the last good split stays");
        }
    }

    @Test
    void checkNamesTheWorkloadWithoutAProxyAndHowToStartOne() throws IOException {
        try (FakeController controller = FakeController.content().with("/api/v1/proxies", """
                {"proxies":[%s,%s]}""".formatted(
                        FakeController.proxy("shop/web-1", true), FakeController.proxy("shop/catalog-1", false)))) {
            Ran ran = Ran.tulle("check", "--server", controller.address());

            assertThat(ran.exitCode()).isEqualTo(1);
            assertThat(ran.out()).contains("no proxy is connected for shop/catalog-1", "tulle token shop/catalog-1");
        }
    }

    @Test
    void checkTellsARefusedConfiguration() throws IOException {
        String refusing = FakeController.proxy("shop/web-1", true)
                .replace("\"nack\":null", "\"nack\":{\"version\":9,\"error\":\"bad regex\"}");
        try (FakeController controller = FakeController.content()
                .with(
                        "/api/v1/proxies",
                        "{\"proxies\":[%s,%s]}".formatted(refusing, FakeController.proxy("shop/catalog-1", true)))) {
            Ran ran = Ran.tulle("check", "--server", controller.address());

            assertThat(ran.exitCode()).isEqualTo(1);
            assertThat(ran.out()).contains("shop/web-1 refused configuration 9", "bad regex");
        }
    }

    @Test
    void checkTellsAnExpiredCertificateAndAStuckRotation() throws IOException {
        String expired = FakeController.proxy("shop/web-1", true).replace("2999", "2025");
        try (FakeController controller = FakeController.content()
                .with(
                        "/api/v1/proxies",
                        "{\"proxies\":[%s,%s]}".formatted(expired, FakeController.proxy("shop/catalog-1", true)))
                .with("/api/v1/ca", FakeController.ca("signing"))) {
            Ran ran = Ran.tulle("check", "--server", controller.address());

            assertThat(ran.exitCode()).isEqualTo(1);
            assertThat(ran.out())
                    .contains("the certificate of shop/web-1 expired")
                    .contains("signing generation 2, waiting for shop/web-1");
        }
    }

    @Test
    void checkAsJsonHasStableIds() throws IOException {
        try (FakeController controller = FakeController.content()) {
            Ran ran = Ran.tulle("check", "--server", controller.address(), "-o", "json");

            assertThat(new ObjectMapper().readTree(ran.out()).path("checks").findValuesAsText("id"))
                    .containsExactly(
                            "controller-ready",
                            "objects",
                            "proxies-connected",
                            "proxies-current",
                            "workloads-ready",
                            "certificates",
                            "root-rotation");
        }
    }

    @Test
    void aControllerThatDoesNotAnswerIsNoAnswer() throws IOException {
        int free;
        try (ServerSocket socket = new ServerSocket(0)) {
            free = socket.getLocalPort();
        }
        String address = "http://127.0.0.1:" + free;

        Ran check = Ran.tulle("check", "--server", address);
        Ran stat = Ran.tulle("stat", "--server", address);

        assertThat(check.exitCode()).isEqualTo(2);
        assertThat(check.out()).contains("controller-reachable", address, "tulle controller");
        assertThat(stat.exitCode()).isEqualTo(2);
        assertThat(stat.err()).startsWith("tulle: no controller answers at " + address);
    }

    @Test
    void somethingElseOnThePortIsSaidSo() throws IOException {
        try (FakeController other = new FakeController().with("/api/v1/stat", "<html>")) {
            Ran ran = Ran.tulle("stat", "--server", other.address());

            assertThat(ran.exitCode()).isEqualTo(2);
            assertThat(ran.err()).contains("is this a Tulle controller?");
        }
    }

    @Test
    void statShowsUnknownNumbersAsDashes() throws IOException {
        try (FakeController controller = new FakeController().with("/api/v1/stat", """
                {"window":60,"services":[
                  {"name":"shop/catalog","rate":49.96,"success":0.99996,"p50":1.23,"p95":12.3,"p99":99,"mtls":1.0,"denied":0.424},
                  {"name":"shop/ghost","rate":0.0,"success":null,"p50":null,"p95":null,"p99":null,"mtls":null,"denied":0.0}],
                 "workloads":[]}""")) {
            Ran ran = Ran.tulle("stat", "--server", controller.address(), "-w", "30");

            assertThat(ran.exitCode()).isZero();
            assertThat(ran.out().lines().toList())
                    .startsWith(
                            "SERVICE        RPS  SUCCESS    P50   P95   P99  MTLS  DENIED/S",
                            "shop/catalog  50.0   99.99%  1.2ms  12ms  99ms  100%       0.4",
                            "shop/ghost     0.0        -      -     -     -     -         -");
            assertThat(controller.asked()).containsExactly("/api/v1/stat?window=30");
        }
    }

    @Test
    void edgesShowLocksAndPlainText() throws IOException {
        try (FakeController controller = new FakeController().with("/api/v1/edges", """
                {"window":60,"edges":[
                  {"from":"shop/web","to":"shop/catalog","backend":"shop/catalog","protocol":"http","mtls":true,"rate":5.0,
                   "success":1.0,"p50":1.0,"p95":2.0,"p99":3.0,"denied":0.0,"reporter":"client"},
                  {"from":"shop/web","to":"shop/catalog","backend":"8080","protocol":"http","mtls":true,"rate":5.0,
                   "success":1.0,"p50":1.0,"p95":2.0,"p99":3.0,"denied":0.0,"reporter":"server"},
                  {"from":"shop/thief","to":"shop/catalog","backend":"8080","protocol":"http","mtls":true,"rate":0.02,
                   "success":null,"p50":null,"p95":null,"p99":null,"denied":0.02,"reporter":"server"},
                  {"from":"","to":"shop/web","backend":"8080","protocol":"http","mtls":false,"rate":5.0,
                   "success":1.0,"p50":1.0,"p95":2.0,"p99":3.0,"denied":0.0,"reporter":"server"}]}""")) {
            Ran some = Ran.tulle("edges", "--server", controller.address());
            Ran all = Ran.tulle("edges", "--server", controller.address(), "--all");

            assertThat(some.out().lines()).hasSize(4);
            assertThat(some.out())
                    .as("what is refused now and then is shown, too")
                    .containsPattern("shop/thief +shop/catalog +8080 .* <0.1");
            assertThat(some.out()).containsPattern("shop/web +shop/catalog +shop/catalog +http +mtls");
            assertThat(some.out()).containsPattern("\\(plain text\\) +shop/web +8080 +http +plain");
            assertThat(all.out().lines()).hasSize(5);
        }
    }

    @Test
    void whyAsksForWholeNamesAndExitsWithTheAnswer() throws IOException {
        try (FakeController controller = new FakeController().with("/api/v1/why", """
                {"outcome":"denied","summary":"No TrafficTarget lets thief in.","caller":"spiffe://cluster.local/ns/shop/sa/thief",
                 "called":"shop/catalog:80","route":"","routeReason":"no split","backends":[
                  {"cluster":"shop/catalog","weight":1,"identity":"spiffe://x","workloads":["shop/catalog-1"],"allowed":false,
                   "audited":false,"reason":"no-grant","detail":"nothing grants it","access":"closed","accessFrom":"TrafficTarget shop/catalog",
                   "grants":[{"target":"shop/catalog","allows":false,"explanation":"thief is not a source"}],
                   "cure":"kind: TrafficTarget"}]}""")) {
            Ran ran = Ran.tulle(
                    "why",
                    "-n",
                    "shop",
                    "thief",
                    "catalog",
                    "get",
                    "/a b",
                    "-H",
                    "X-Kind: a&b",
                    "--server",
                    controller.address());

            assertThat(ran.exitCode()).isEqualTo(1);
            assertThat(ran.out())
                    .startsWith("denied: No TrafficTarget lets thief in.")
                    .contains("- TrafficTarget shop/catalog: thief is not a source")
                    .contains("this would allow it:", "  kind: TrafficTarget");
            assertThat(controller.asked())
                    .containsExactly(
                            "/api/v1/why?from=shop%2Fthief&to=shop%2Fcatalog&method=GET&path=%2Fa+b&header=X-Kind%3Aa%26b");
        }
    }

    @Test
    void whyOfAnAllowedCallExitsWithZeroAndOfAnUnknownNameWithTwo() throws IOException {
        try (FakeController controller = new FakeController()
                .with("/api/v1/why", "{\"outcome\":\"allowed\",\"summary\":\"Open.\",\"backends\":[]}")) {
            assertThat(Ran.tulle("why", "unmeshed", "shop/web", "--server", controller.address())
                            .exitCode())
                    .isZero();
            assertThat(controller.asked()).containsExactly("/api/v1/why?from=unmeshed&to=shop%2Fweb");
            controller.with("/api/v1/why", "{\"outcome\":\"unknown\",\"summary\":\"Who?\",\"backends\":[]}");
            assertThat(Ran.tulle("why", "a", "b", "--server", controller.address())
                            .exitCode())
                    .isEqualTo(2);
        }
    }

    @Test
    void aRefusalOfTheControllerIsShown() throws IOException {
        try (FakeController controller =
                new FakeController().with("/api/v1/why", 400, "{\"error\":\"'port' is a number.\"}")) {
            Ran ran = Ran.tulle("why", "a", "b", "--server", controller.address());

            assertThat(ran.exitCode()).isEqualTo(2);
            assertThat(ran.err()).contains("'port' is a number.");
        }
    }

    @Test
    void aHeaderWithoutColonIsWrongUsage() {
        Ran ran = Ran.tulle("why", "a", "b", "GET", "/", "-H", "nonsense");

        assertThat(ran.exitCode()).isEqualTo(2);
        assertThat(ran.err()).contains("-H is NAME:VALUE, not 'nonsense'");
    }

    @Test
    void deniedListsCallsAndPrintsEachCureOnce() throws IOException {
        String denial = """
                {"at":"2026-01-01T00:00:00Z","from":"spiffe://cluster.local/ns/shop/sa/thief","to":"shop/catalog-1","port":8080,"method":"GET","path":"/products/x",
                 "reason":"no-grant","detail":"nothing grants it","audited":false,"allow":"kind: TrafficTarget\\n"}""";
        try (FakeController controller =
                new FakeController().with("/api/v1/denied", "{\"denied\":[%s,%s]}".formatted(denial, denial))) {
            Ran list = Ran.tulle("denied", "--server", controller.address());
            Ran cures = Ran.tulle("denied", "--allow", "--server", controller.address());

            assertThat(list.out()).containsPattern(" 2  shop/thief +shop/catalog-1 +8080 +GET /products/x +no-grant");
            assertThat(list.out().lines()).hasSize(2);
            assertThat(cures.out().strip()).isEqualTo("kind: TrafficTarget");
        }
    }

    @Test
    void proxiesAndCaAreTables() throws IOException {
        try (FakeController controller = FakeController.content()) {
            Ran proxies = Ran.tulle("proxies", "--server", controller.address());
            Ran ca = Ran.tulle("ca", "--server", controller.address());

            assertThat(proxies.out()).startsWith("WORKLOAD").contains("shop/catalog-1");
            assertThat(ca.out()).contains("root", "issuer", "rotation: settled, generation 2");
        }
    }

    @Test
    void jsonIsTheAnswerOfTheController() throws IOException {
        try (FakeController controller = FakeController.content()) {
            Ran ran = Ran.tulle("ca", "-o", "json", "--server", controller.address());

            ObjectMapper json = new ObjectMapper();
            assertThat(json.readTree(ran.out())).isEqualTo(json.readTree(FakeController.ca("settled")));
        }
    }

    @Test
    void nothingIsColouredWithoutATerminal() throws IOException {
        try (FakeController controller = FakeController.content()) {
            assertThat(Ran.tulle("check", "--server", controller.address()).out())
                    .doesNotContain("\u001b");
        }
    }
}
