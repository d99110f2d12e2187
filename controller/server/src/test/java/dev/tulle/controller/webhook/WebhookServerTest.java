package dev.tulle.controller.webhook;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tulle.controller.identity.Authorities;
import dev.tulle.controller.identity.CertificateAuthority;
import dev.tulle.controller.identity.CertificateAuthority.ServingIdentity;
import dev.tulle.controller.identity.Pem;
import dev.tulle.controller.inject.InjectSettings;
import dev.tulle.controller.inject.NamespaceView;
import dev.tulle.proxy.model.HostPort;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WebhookServerTest {
    private static final WebhookLimits SMALL = new WebhookLimits(
            4096,
            8192,
            64 << 10,
            20,
            12,
            6,
            16384,
            Duration.ofMillis(500),
            Duration.ofSeconds(2),
            Duration.ofSeconds(30));

    /** The same, and patient. */
    private static final WebhookLimits PATIENT = new WebhookLimits(
            4096,
            8192,
            64 << 10,
            20,
            12,
            6,
            16384,
            Duration.ofSeconds(30),
            Duration.ofSeconds(30),
            Duration.ofSeconds(60));

    private static final String POD =
            "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop}\nspec: {containers: [{name: web}]}";

    private final Vertx vertx = Vertx.vertx();
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final Asking asking = new Asking();
    private final WebhookServer server = new WebhookServer(
            vertx,
            new Hooks(() -> InjectSettings.of("tulle-proxy:1", "1"), asking, (namespace, pod, sentence) -> {}),
            new HostPort("127.0.0.1", 0),
            SMALL,
            new WebhookMeters(registry),
            Map.of());

    @TempDir
    private Path directory = Path.of("");

    private CertificateAuthority authority;

    /** Every namespace asks for proxies; each question is counted, and answered as soon as the gate is open. */
    private static final class Asking implements Namespaces {
        final AtomicInteger questions = new AtomicInteger();
        volatile CountDownLatch gate = new CountDownLatch(0);

        @Override
        public NamespaceView known(String name) {
            questions.incrementAndGet();
            try {
                gate.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            return NamespaceView.of(name, Map.of("tulle.dev/inject", "enabled"), Map.of());
        }

        @Override
        public NamespaceView now(String name) {
            return known(name);
        }
    }

    @BeforeEach
    void listen() throws Exception {
        authority = Authorities.open(directory, Clock.systemUTC());
        server.use(certificate());
    }

    @AfterEach
    void close() {
        server.close();
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    @Test
    void answersOverBothVersionsOfTlsAndHttp() throws Exception {
        for (String tls : List.of("TLSv1.2", "TLSv1.3")) {
            for (HttpClient.Version http : HttpClient.Version.values()) {
                HttpResponse<String> response = post(client(tls, http), "/inject", review());

                assertThat(response.statusCode()).isEqualTo(200);
                assertThat(response.body()).contains("\"allowed\":true", "JSONPatch");
            }
        }
        assertThat(count("inject", "changed")).isEqualTo(4);
    }

    @Test
    void refusesAnOlderTls() {
        assertThatThrownBy(() -> post(client("TLSv1.1", HttpClient.Version.HTTP_1_1), "/inject", review()))
                .isInstanceOf(SSLException.class);
    }

    @Test
    void boundsWhatItReads() throws Exception {
        HttpResponse<String> review = post(client(), "/inject", " ".repeat(5000));
        HttpResponse<String> conversion = post(client(), "/convert", " ".repeat(5000));

        assertThat(review.statusCode()).isEqualTo(413);
        assertThat(review.body()).contains("longer than 4096 bytes");
        assertThat(conversion.statusCode()).isEqualTo(400);
        assertThat(count("inject", "limited")).isEqualTo(1);
    }

    @Test
    void waitsForABodyNoLongerThanItSays() throws Exception {
        try (SSLSocket socket = (SSLSocket) context()
                .getSocketFactory()
                .createSocket(InetAddress.getLoopbackAddress(), server.port().orElseThrow())) {
            OutputStream out = socket.getOutputStream();
            out.write("POST /validate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"
                    .getBytes(StandardCharsets.US_ASCII));
            out.flush();
            socket.setSoTimeout(10_000);

            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);

            assertThat(answer).startsWith("HTTP/1.1 408").contains("The body did not come in time.");
        }
    }

    @Test
    void convertsManySmallObjectsSideBySideAndFewLargeOnes() throws Exception {
        try (WebhookServer patient = new WebhookServer(
                vertx,
                new Hooks(() -> InjectSettings.of("tulle-proxy:1", "1"), asking, (namespace, pod, sentence) -> {}),
                new HostPort("127.0.0.1", 0),
                PATIENT,
                new WebhookMeters(new SimpleMeterRegistry()),
                Map.of())) {
            patient.use(certificate());
            int port = patient.port().orElseThrow();
            // Given conversions whose bodies are still on their way
            List<SSLSocket> small = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                small.add(conversion(port, 100, 10));
            }
            // Then there is room for one more of that size
            try (SSLSocket another = conversion(port, 1, 1)) {
                assertThat(statusOf(another)).startsWith("HTTP/1.1 400");
            }
            for (SSLSocket one : small) {
                one.close();
            }
            // And not for a third that is large
            try (SSLSocket one = conversion(port, 8000, 7000);
                    SSLSocket two = conversion(port, 8000, 7000);
                    SSLSocket three = conversion(port, 8000, 7000)) {
                assertThat(Stream.of(one, two, three)
                                .map(socket -> CompletableFuture.supplyAsync(
                                        () -> statusOf(socket),
                                        reader -> Thread.ofVirtual().start(reader)))
                                .reduce((a, b) -> a.applyToEither(b, status -> status))
                                .orElseThrow()
                                .get(20, TimeUnit.SECONDS))
                        .startsWith("HTTP/1.1 429");
            }
        }
    }

    /** A request for a conversion that says how long it is and sends less. */
    private SSLSocket conversion(int port, int length, int sent) throws GeneralSecurityException, IOException {
        SSLSocket socket =
                (SSLSocket) context().getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(20_000);
        OutputStream out = socket.getOutputStream();
        out.write(("POST /convert HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n".formatted(length)
                        + "[".repeat(sent))
                .getBytes(StandardCharsets.US_ASCII));
        out.flush();
        return socket;
    }

    private static String statusOf(SSLSocket socket) {
        try {
            return new String(socket.getInputStream().readNBytes(12), StandardCharsets.US_ASCII);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void takesOnlyPostsAndKnownPaths() throws Exception {
        HttpResponse<String> get =
                client().send(HttpRequest.newBuilder(uri("/inject")).build(), BodyHandlers.ofString());

        assertThat(get.statusCode()).isEqualTo(405);
        assertThat(post(client(), "/elsewhere", "{}").statusCode()).isEqualTo(404);
        assertThat(post(client(), "/validate", "[").statusCode()).isEqualTo(400);
    }

    @Test
    void doesNotWorkOnWhatItHasGivenUp() throws Exception {
        // Given more reviews than threads, none of which comes to an end
        HttpClient caller = client();
        asking.gate = new CountDownLatch(1);
        List<CompletableFuture<HttpResponse<String>>> late = Stream.generate(
                        () -> caller.sendAsync(request("/inject", review()), BodyHandlers.ofString()))
                .limit(12)
                .toList();
        // When all were answered by the clock
        for (CompletableFuture<HttpResponse<String>> one : late) {
            assertThat(one.get(20, TimeUnit.SECONDS).statusCode()).isEqualTo(503);
        }
        int begun = asking.questions.get();
        assertThat(begun).isBetween(1, 11);
        asking.gate.countDown();
        // Then those that waited were not begun before the next one
        assertThat(post(client(), "/inject", review()).statusCode()).isEqualTo(200);
        assertThat(asking.questions.get()).isEqualTo(begun + 1);
    }

    @Test
    void changesItsCertificateWithoutAPause() throws Exception {
        HttpClient before = client();
        post(before, "/inject", review());
        ServingCertificate next = certificate();

        server.use(next);

        assertThat(post(before, "/inject", review()).statusCode()).isEqualTo(200);
        HttpResponse<String> anew = post(client(), "/inject", review());
        assertThat(Pem.of(List.of((java.security.cert.X509Certificate)
                        anew.sslSession().orElseThrow().getPeerCertificates()[0])))
                .isEqualTo(next.chain()
                        .substring(0, next.chain().indexOf("-----END") + "-----END CERTIFICATE-----\n".length()));
    }

    @Test
    void keepsItsCertificateWhenTheNextIsUnusable() throws Exception {
        assertThatThrownBy(() -> server.use(new ServingCertificate("no", "certificate")))
                .isInstanceOf(IllegalStateException.class);

        assertThat(post(client(), "/inject", review()).statusCode()).isEqualTo(200);
    }

    private double count(String hook, String outcome) {
        return registry.get("tulle_webhook_answers")
                .tag("hook", hook)
                .tag("outcome", outcome)
                .counter()
                .count();
    }

    private static String review() {
        return HooksTest.review("CREATE", POD, null).toString();
    }

    private ServingCertificate certificate() {
        ServingIdentity identity = authority.serve(Authorities.WEB, List.of("localhost"), List.of("127.0.0.1"));
        return new ServingCertificate(Pem.of(identity.chain()), Pem.of(identity.key()));
    }

    private HttpClient client() throws GeneralSecurityException, IOException {
        return client("TLSv1.3", HttpClient.Version.HTTP_1_1);
    }

    private HttpClient client(String tls, HttpClient.Version http) throws GeneralSecurityException, IOException {
        SSLParameters parameters = new SSLParameters();
        parameters.setProtocols(new String[] {tls});
        return HttpClient.newBuilder()
                .sslContext(context())
                .sslParameters(parameters)
                .version(http)
                .connectTimeout(Duration.ofSeconds(10))
                .build();
    }

    private SSLContext context() throws GeneralSecurityException, IOException {
        KeyStore anchors = KeyStore.getInstance(KeyStore.getDefaultType());
        anchors.load(null, null);
        anchors.setCertificateEntry("root", authority.state().roots().getFirst().certificate());
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(anchors);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }

    private HttpResponse<String> post(HttpClient client, String path, String body)
            throws IOException, InterruptedException {
        return client.send(request(path, body), BodyHandlers.ofString());
    }

    private HttpRequest request(String path, String body) {
        return HttpRequest.newBuilder(uri(path))
                .timeout(Duration.ofSeconds(20))
                .POST(BodyPublishers.ofString(body))
                .build();
    }

    private URI uri(String path) {
        return URI.create("https://localhost:%d%s".formatted(server.port().orElseThrow(), path));
    }
}
