package dev.tulle.conformance.kubernetes.traffic;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import dev.tulle.conformance.kubernetes.Place;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** Redirected traffic of every kind reaches what it was sent to, and is locked where both ends are in the mesh. */
@Tag("cluster")
@Execution(ExecutionMode.CONCURRENT)
class TrafficTest {
    /** The machine, as the cluster sees it. */
    private static final String MACHINE = System.getenv().getOrDefault("HOST_IP", "10.200.0.1");

    private static final String NODE = System.getenv().getOrDefault("NODE_IP", "10.200.0.2");

    private static Place place;
    private static Place unlabelled;
    private static HttpServer outside;
    private static ServerSocket greeter;

    @BeforeAll
    static void startEverything() throws IOException {
        outside = HttpServer.create(new InetSocketAddress(InetAddress.getByName(MACHINE), 0), 16);
        outside.createContext("/", exchange -> {
            byte[] answer = ("{\"pod\": \"machine\", \"certificate\": \""
                            + exchange.getRequestHeaders().getFirst("x-forwarded-client-cert") + "\"}")
                    .getBytes(UTF_8);
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        outside.start();
        greeter = new ServerSocket(0, 16, InetAddress.getByName(MACHINE));
        Thread.ofVirtual().start(TrafficTest::greet);
        Map<String, String> placeholders = Map.of(
                "OUTSIDE_ADDRESS",
                MACHINE,
                "OUTSIDE_PORT",
                Integer.toString(outside.getAddress().getPort()));
        place = Place.create("traffic", placeholders);
        unlabelled = Place.create("traffic-unlabelled", placeholders, false);
        unlabelled.apply("unlabelled.yaml");
        place.apply("databases.yaml");
        place.apply("traffic.yaml");
        unlabelled.awaitReady("pod", "--all");
        place.awaitReady("pod", "--all");
        place.awaitRollout("statefulset/member");
    }

    @AfterAll
    static void endEverything() throws IOException {
        outside.stop(0);
        greeter.close();
        place.close();
        unlabelled.close();
    }

    private static void greet() {
        while (!greeter.isClosed()) {
            try (Socket socket = greeter.accept();
                    PrintStream out = new PrintStream(socket.getOutputStream(), true)) {
                out.println("HELLO from the machine");
            } catch (IOException e) {
                // The caller went away, or the test is over.
            }
        }
    }

    @Test
    void aServiceIsReachedByItsName() {
        JsonNode seen = place.get("client", "http://web/");

        assertThat(seen.path("host").asText()).isEqualTo("web");
        assertCalledBy("client", seen);
    }

    @Test
    void aServiceIsReachedByItsClusterAddress() {
        String address = place.value("service/web", ".spec.clusterIP");

        assertCalledBy("client", place.get("client", "http://" + address + "/"));
    }

    @Test
    void everythingIsReachedInIpv6() {
        String service = ipv6("service/web", ".spec.clusterIPs[*]");
        String pod = place.podOf("version=v1");

        assertCalledBy("client", place.get("client", "http://[" + service + "]/"));
        assertThat(place.app("client", "tcp", "--within=5s", "[" + service + "]:9001")
                        .succeeded()
                        .out())
                .startsWith("HELLO from web-");
        JsonNode seen = place.get("client", "http://[" + ipv6("pod/" + pod, ".status.podIPs[*].ip") + "]:8080/");
        assertThat(seen.path("pod").asText()).isEqualTo(pod);
        assertCalledBy("client", seen);
        assertThat(place.get(pod, "http://[" + ipv6("pod/" + pod, ".status.podIPs[*].ip") + "]:8080/")
                        .path("pod")
                        .asText())
                .as("itself")
                .isEqualTo(pod);
    }

    /** The IPv6 one of some addresses; skips the test in a cluster without. */
    private static String ipv6(String what, String jsonPath) {
        return Arrays.stream(place.value(what, jsonPath).split(" "))
                .filter(address -> address.contains(":"))
                .findFirst()
                .orElseGet(() -> abort("this cluster has no IPv6"));
    }

    @Test
    void aHeadlessServiceIsReachedAtItsPods() {
        assertCalledBy("client", place.get("client", "http://web-headless:8080/"));
    }

    @Test
    void aPodIsReachedByItsAddress() {
        String address = place.value("pod/" + place.podOf("version=v2"), ".status.podIP");
        JsonNode seen = place.get("client", "http://" + address + ":18080/");

        assertThat(seen.path("version").asText()).isEqualTo("v2");
        assertCalledBy("client", seen);
    }

    @Test
    void aNodePortIsReachedFromOutsideAndFromPods() throws Exception {
        String port = place.value("service/web-node", ".spec.ports[0].nodePort");
        URI uri = URI.create("http://" + NODE + ":" + port + "/");
        try (HttpClient machine = HttpClient.newHttpClient()) {
            assertThat(machine.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString())
                            .statusCode())
                    .isEqualTo(200);
        }
        assertThat(place.get("client", uri.toString()).path("version").asText()).isIn("v1", "v2");
    }

    @Test
    void aServerOutsideTheClusterIsReachedInHttpAndWithoutAnIdentity() {
        JsonNode answer = place.get(
                "client", "http://" + MACHINE + ":" + outside.getAddress().getPort() + "/");

        assertThat(answer.path("pod").asText()).isEqualTo("machine");
        assertThat(answer.path("certificate").asText()).isEqualTo("null");
    }

    @Test
    void aServerOutsideTheClusterMaySpeakFirst() {
        assertThat(place.app("client", "tcp", MACHINE + ":" + greeter.getLocalPort())
                        .succeeded()
                        .out())
                .isEqualTo("HELLO from the machine\n");
    }

    @Test
    void aServiceWithoutASelectorLeadsWhereItsSliceSays() {
        assertThat(place.get("client", "http://outside/").path("pod").asText()).isEqualTo("machine");
    }

    @Test
    void anExternalNameLeadsToTheServiceItNames() {
        JsonNode seen = place.get("client", "http://web-alias/");

        assertThat(seen.path("host").asText()).isEqualTo("web-alias");
        assertCalledBy("client", seen);
    }

    @Test
    void aPodCallsItselfThroughItsService() {
        String pod = place.podOf("version=v1");
        JsonNode seen = place.get(pod, "http://web-v1/");

        assertThat(seen.path("pod").asText()).isEqualTo(pod);
    }

    @Test
    void aPodCallsItselfByItsAddressAndByLoopback() {
        String pod = place.podOf("version=v1");
        String address = place.value("pod/" + pod, ".status.podIP");

        assertThat(place.get(pod, "http://" + address + ":8080/").path("pod").asText())
                .isEqualTo(pod);
        assertThat(place.get(pod, "http://127.0.0.1:8080/").path("pod").asText())
                .isEqualTo(pod);
    }

    @Test
    void portsByNameLeadToAnotherNumberInEachVersion() {
        Set<String> versions = new TreeSet<>();
        Awaitility.await().atMost(Duration.ofSeconds(20)).untilAsserted(() -> {
            versions.add(place.get("client", "http://web/").path("version").asText());
            assertThat(versions).containsExactly("v1", "v2");
        });
    }

    @Test
    void aServerThatSpeaksFirstIsHeardAtOnce() {
        assertThat(place.app("client", "tcp", "--within=2s", "web:9001")
                        .succeeded()
                        .out())
                .startsWith("HELLO from web-");
    }

    @Test
    void aClientThatSpeaksFirstIsHeardAtOnce() {
        assertThat(place.app("client", "tcp", "--within=2s", "--say=anything", "web:9000")
                        .succeeded()
                        .out())
                .isEqualTo("anything\n");
    }

    @Test
    void mariaDbIsUsedAsWithoutAMesh() {
        assertThat(place.shell("mariadb -h mariadb -ushop -pshop shop -N -e '"
                                + "create table metres (name varchar(20), n int); insert into metres values (\"tulle\", 42);"
                                + "select n from metres'")
                        .succeeded()
                        .out())
                .isEqualTo("42\n");
    }

    @Test
    void postgresIsUsedAsWithoutAMesh() {
        assertThat(place.shell("psql -h postgres -U shop postgres -Atc 'create table metres (n int); "
                                + "insert into metres values (42); select n from metres' | tail -1")
                        .succeeded()
                        .out())
                .isEqualTo("42\n");
    }

    @Test
    void redisIsUsedAsWithoutAMesh() {
        assertThat(place.shell("redis-cli -h redis set tulle 42 && redis-cli -h redis get tulle")
                        .succeeded()
                        .out())
                .isEqualTo("OK\n42\n");
    }

    @Test
    void membersOfAStatefulSetAddressEachOtherByName() {
        JsonNode seen = place.get("member-0", "http://member-1.members:8080/");

        assertThat(seen.path("pod").asText()).isEqualTo("member-1");
        assertCalledBy("member", seen);
        assertThat(place.app("member-1", "tcp", "member-0.members.traffic.svc.cluster.local:9001")
                        .succeeded()
                        .out())
                .startsWith("HELLO from member-0");
        assertThat(place.get("member-0", "http://member-0.members:8080/")
                        .path("pod")
                        .asText())
                .isEqualTo("member-0");
    }

    @Test
    void udpIsLeftAlone() {
        assertThat(place.app("client", "udp", "--say=datagram", "web:9002")
                        .succeeded()
                        .out())
                .isEqualTo("datagram\n");
    }

    @Test
    void namesAreLookedUpAsBefore() {
        String address = place.value("service/web-v1", ".spec.clusterIP");

        assertThat(place.app("client", "lookup", "web-v1").succeeded().out().strip())
                .isEqualTo(address);
        assertThat(place.app("client", "lookup", "web-v1.traffic.svc.cluster.local")
                        .succeeded()
                        .out()
                        .strip())
                .isEqualTo(address);
        assertThat(place.app("client", "lookup", "--srv", "_http._tcp.members.traffic.svc.cluster.local")
                        .succeeded()
                        .out()
                        .lines())
                .hasSize(2);
        assertThat(place.app("client", "lookup", "nowhere.example").text()).contains("no such host");
    }

    @Test
    void grpcIsCarried() {
        assertThat(place.app("client", "grpc", "web:80").succeeded().out()).startsWith("SERVING from web-");
    }

    @Test
    void http2WithoutTlsIsCarried() {
        JsonNode seen = place.get("client", "--protocol=h2c", "--method=POST", "--body=twelve bytes", "http://web/");

        assertThat(seen.path("proto").asText()).isEqualTo("HTTP/2.0");
        assertThat(seen.path("body").asText()).isEqualTo("twelve bytes");
    }

    @Test
    void webSocketsAreCarried() {
        assertThat(place.app("client", "websocket", "--say=tulle", "http://web/websocket")
                        .succeeded()
                        .out())
                .isEqualTo("tulle\n");
    }

    @Test
    void tlsOfTheApplicationItselfPasses() {
        assertThat(place.get("client", "--protocol=h2", "https://web/")
                        .path("proto")
                        .asText())
                .isEqualTo("HTTP/2.0");
    }

    @Test
    void muchArrivesWhole() {
        assertThat(place.shell("curl -sS --max-time 60 'http://web/bytes?n=50000000' | wc -c")
                        .succeeded()
                        .out()
                        .strip())
                .isEqualTo("50000000");
        assertThat(place.shell("head -c 20000000 /dev/zero | curl -sS --max-time 60 -T - http://web/short")
                        .succeeded()
                        .out())
                .startsWith("web-");
    }

    @Test
    void whoIsNotInTheMeshCallsAndIsCalled() {
        assertThat(unlabelled.get("plain", "http://web.traffic/").path("pod").asText())
                .startsWith("web-");
        assertThat(unlabelled
                        .app("plain", "tcp", "--within=2s", "web.traffic:9001")
                        .succeeded()
                        .out())
                .startsWith("HELLO from web-");
        JsonNode seen = place.get("client", "http://plain.traffic-unlabelled/");
        assertThat(seen.path("pod").asText()).isEqualTo("plain");
        assertThat(seen.path("headers").has("X-Forwarded-Client-Cert")).isFalse();
    }

    @Test
    void portsThatNobodyDeclaredWork() {
        String address = place.value("pod/undeclared", ".status.podIP");

        assertThat(place.get("client", "http://" + address + ":7070/")
                        .path("pod")
                        .asText())
                .isEqualTo("undeclared");
        assertThat(place.app("client", "tcp", "--within=5s", address + ":7071")
                        .succeeded()
                        .out())
                .startsWith("HELLO from undeclared");
    }

    @Test
    void whatIsRefusedIsRefusedAndWhatIsNotThereIsNotFound() {
        String address = place.value("pod/undeclared", ".status.podIP");

        assertThat(place.app("client", "get", "--within=8s", "http://" + address + ":7099/")
                        .code())
                .isNotZero();
        assertThat(place.app("client", "tcp", "--within=8s", address + ":7099").code())
                .isNotZero();
    }

    /** In the mesh, the application was told who called; without it there is nobody to say so. */
    private static void assertCalledBy(String serviceAccount, JsonNode seen) {
        assertThat(seen.path("pod").asText()).isNotEmpty();
        if (Place.MESHED) {
            assertThat(seen.path("headers")
                            .path("X-Forwarded-Client-Cert")
                            .path(0)
                            .asText())
                    .contains("spiffe://cluster.local/ns/traffic/sa/" + serviceAccount);
        }
    }
}
