package dev.tulle.proxy.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.tulle.proxy.bootstrap.Transport;
import dev.tulle.proxy.model.HostPort;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AdminServerTest {
    private static final String TOKEN = "0123456789abcdef";

    private final EventLoopGroup loops =
            new MultiThreadIoEventLoopGroup(1, Transport.best().ioHandlers());
    private final Readiness readiness = new Readiness();
    private final AtomicInteger shutdowns = new AtomicInteger();

    private AppHealth appHealth = AppHealth.NONE;

    @AfterEach
    void stop() {
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }

    @Test
    void isReadyOnlyWhenNothingIsMissing() throws Exception {
        HostPort address = start(false, Optional.empty());

        assertThat(get(address, "/readyz")).startsWith("HTTP/1.1 503").contains("identity: waiting for a certificate");
        readiness.there(Readiness.Part.IDENTITY);
        readiness.there(Readiness.Part.POLICY);
        readiness.missing(Readiness.Part.LISTENERS, "cannot listen on 127.0.0.1:1");
        assertThat(get(address, "/readyz"))
                .startsWith("HTTP/1.1 503")
                .endsWith("\r\n\r\nlisteners: cannot listen on 127.0.0.1:1\n");
        readiness.there(Readiness.Part.LISTENERS);
        assertThat(get(address, "/readyz")).startsWith("HTTP/1.1 200");
        readiness.missing(Readiness.Part.STAYING, "draining");
        assertThat(get(address, "/readyz")).startsWith("HTTP/1.1 503");
        assertThat(get(address, "/livez")).startsWith("HTTP/1.1 200");
    }

    @Test
    void servesMetricsAsPrometheusWantsThem() throws Exception {
        HostPort address = start(false, Optional.empty());

        assertThat(get(address, "/metrics?x=1"))
                .startsWith("HTTP/1.1 200")
                .contains("content-type: text/plain; version=0.0.4; charset=utf-8")
                .endsWith("some_metric 1\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/config", "/shutdown"})
    void keepsWhatIsForThisMachineOffTheOpenPort(String path) throws Exception {
        HostPort address = start(false, Optional.of(TOKEN));

        assertThat(get(address, path)).startsWith("HTTP/1.1 404");
        assertThat(ask(
                        address,
                        "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + TOKEN
                                + "\r\nContent-Length: 0\r\n\r\n"))
                .startsWith("HTTP/1.1 404");
        assertThat(shutdowns).hasValue(0);
    }

    @Test
    void showsTheConfigOnLoopback() throws Exception {
        HostPort address = start(true, Optional.empty());

        assertThat(get(address, "/config")).startsWith("HTTP/1.1 200").contains("{\"some\":\"config\"}");
        assertThat(get(address, "/readyz")).startsWith("HTTP/1.1 503");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Host: evil.example",
                "Host: 127.0.0.1.evil.example",
                "Host: localhost\r\nHost: localhost",
                "X: y"
            })
    void answersOnLoopbackToLoopbackNamesOnly(String host) throws Exception {
        HostPort address = start(true, Optional.of(TOKEN));

        assertThat(ask(
                        address,
                        "POST /shutdown HTTP/1.1\r\n" + host + "\r\nAuthorization: Bearer " + TOKEN
                                + "\r\nContent-Length: 0\r\n\r\n"))
                .startsWith("HTTP/1.1 421");
        assertThat(shutdowns).hasValue(0);
    }

    @Test
    void shutsDownByPostWithTheTokenOnly() throws Exception {
        HostPort address = start(true, Optional.of(TOKEN));

        assertThat(get(address, "/shutdown")).startsWith("HTTP/1.1 405");
        assertThat(shutdown(address, "")).startsWith("HTTP/1.1 401");
        assertThat(shutdown(address, "Authorization: Bearer wrong\r\n")).startsWith("HTTP/1.1 401");
        assertThat(shutdowns).hasValue(0);
        assertThat(shutdown(address, "Authorization: Bearer " + TOKEN + "\r\n")).startsWith("HTTP/1.1 202");
        assertThat(shutdowns).hasValue(1);
    }

    @Test
    void refusesToShutDownWithoutATokenFile() throws Exception {
        HostPort address = start(true, Optional.empty());

        assertThat(shutdown(address, "Authorization: Bearer \r\n"))
                .startsWith("HTTP/1.1 403")
                .contains("--admin-token-file");
        assertThat(shutdowns).hasValue(0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"rubbish\r\n\r\n", "GET / HTTP/1.1\r\nX: \u0000\r\n\r\n"})
    void survivesWhatIsNotHttp(String bytes) throws Exception {
        HostPort address = start(false, Optional.empty());

        ask(address, bytes);
        ask(address, "GET /livez HTTP/1.1\r\nHost: a\r\nX: " + "y".repeat(20_000) + "\r\n\r\n");

        assertThat(get(address, "/livez")).startsWith("HTTP/1.1 200");
    }

    @Test
    void namesAddressAndFlagWhenThePortIsTaken() throws Exception {
        HostPort taken = start(false, Optional.empty());

        Future<HostPort> second = server(taken, true, Optional.empty()).start().awaitUninterruptibly();

        assertThat(second.cause())
                .isInstanceOf(IOException.class)
                .hasMessageContaining("cannot listen on " + taken)
                .hasMessageContaining("--admin-local");
    }

    @Test
    void asksTheApplicationForTheKubelet() throws Exception {
        HttpServer application = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 10);
        application.createContext("/well", exchange -> {
            boolean asked = "deep=1".equals(exchange.getRequestURI().getQuery())
                    && "shop".equals(exchange.getRequestHeaders().getFirst("X-For"));
            exchange.sendResponseHeaders(asked ? 302 : 400, -1);
        });
        application.createContext("/ill", exchange -> exchange.sendResponseHeaders(500, -1));
        application.start();
        int port = application.getAddress().getPort();
        appHealth = AppHealth.parse("""
                {"web/readyz":{"httpGet":{"port":%1$d,"path":"/well?deep=1","later":[{}],
                   "httpHeaders":[{"name":"X-For","value":"shop"}]},"timeoutSeconds":2},
                 "web/livez":{"httpGet":{"port":%1$d,"path":"ill"}},
                 "db/livez":{"tcpSocket":{"port":%1$d},"periodSeconds":1},
                 "db/readyz":{"tcpSocket":{"port":1}}}""".formatted(port));
        try {
            HostPort address = start(false, Optional.empty());

            assertThat(get(address, "/app-health/web/readyz"))
                    .startsWith("HTTP/1.1 200")
                    .endsWith("well\n");
            assertThat(get(address, "/app-health/web/livez"))
                    .startsWith("HTTP/1.1 503")
                    .contains("answers 500");
            assertThat(get(address, "/app-health/db/livez")).startsWith("HTTP/1.1 200");
            assertThat(get(address, "/app-health/db/readyz"))
                    .startsWith("HTTP/1.1 503")
                    .contains("127.0.0.1:1");
            assertThat(get(address, "/app-health/db/startupz")).startsWith("HTTP/1.1 404");
        } finally {
            application.stop(0);
        }
    }

    @Test
    void asksByTlsWithoutLookingAtTheCertificateAndGivesUpInTime() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
            appHealth = AppHealth.parse(
                    "{\"web/livez\":{\"httpGet\":{\"port\":%d,\"scheme\":\"HTTPS\"},\"timeoutSeconds\":1}}"
                            .formatted(silent.getLocalPort()));
            HostPort address = start(false, Optional.empty());

            assertThat(get(address, "/app-health/web/livez")).startsWith("HTTP/1.1 503");
            try (Socket asked = silent.accept()) {
                assertThat(asked.getInputStream().read()).as("a TLS record").isEqualTo(0x16);
            }
        }
    }

    @Test
    void asksNoLongerForSomeoneWhoHasGone() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
            appHealth = AppHealth.parse("{\"web/livez\":{\"httpGet\":{\"port\":%d},\"timeoutSeconds\":60}}"
                    .formatted(silent.getLocalPort()));
            HostPort address = start(false, Optional.empty());

            Socket asker = new Socket(address.host(), address.port());
            asker.getOutputStream()
                    .write("GET /app-health/web/livez HTTP/1.1\r\nHost: a\r\n\r\n"
                            .getBytes(StandardCharsets.ISO_8859_1));
            try (Socket asked = silent.accept()) {
                asked.setSoTimeout(20_000);
                assertThat(asked.getInputStream().read()).as("the question").isEqualTo('G');

                asker.close();

                assertThat(asked.getInputStream().readAllBytes())
                        .as("its rest, and the end long before its 60 s")
                        .startsWith("ET / HTTP/1.1".getBytes(StandardCharsets.ISO_8859_1));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "[]",
                "{",
                "{\"a\":1}",
                "{\"a\":{}}",
                "{\"a\":{\"tcpSocket\":{\"port\":0}}}",
                "{\"a\":{\"tcpSocket\":{\"port\":\"http\"}}}"
            })
    void refusesQuestionsThatAreNone(String json) {
        assertThatThrownBy(() -> AppHealth.parse(json)).isInstanceOf(IllegalArgumentException.class);
    }

    private HostPort start(boolean local, Optional<String> token) throws Exception {
        return server(new HostPort("127.0.0.1", 0), local, token).start().sync().getNow();
    }

    private AdminServer server(HostPort address, boolean local, Optional<String> token) {
        return new AdminServer(
                loops.next(),
                Transport.best(),
                address,
                local,
                new AdminServer.Content(
                        readiness,
                        () -> "some_metric 1\n",
                        () -> "{\"some\":\"config\"}",
                        () -> "{\"serverNames\":[],\"others\":0}",
                        appHealth,
                        token,
                        shutdowns::incrementAndGet));
    }

    private static String shutdown(HostPort address, String header) throws IOException {
        return ask(address, "POST /shutdown HTTP/1.1\r\nHost: localhost:1\r\n" + header + "Content-Length: 0\r\n\r\n");
    }

    private static String get(HostPort address, String path) throws IOException {
        return ask(address, "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1:" + address.port() + "\r\n\r\n");
    }

    private static String ask(HostPort address, String request) throws IOException {
        try (Socket socket = new Socket(address.host(), address.port())) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        } catch (java.net.SocketException e) {
            return "";
        }
    }
}
