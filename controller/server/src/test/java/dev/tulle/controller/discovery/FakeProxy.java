package dev.tulle.controller.discovery;

import dev.tulle.controller.identity.Authorities;
import dev.tulle.controller.identity.CertificateAuthority;
import dev.tulle.controller.identity.Pem;
import dev.tulle.proxy.model.MalformedMessage;
import dev.tulle.proxy.model.ProxyCodec;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.ToController;
import dev.tulle.proxy.model.ToProxy;
import dev.tulle.proxy.model.TrustBundle;
import dev.tulle.proxy.model.WorkloadId;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.net.PemKeyCertOptions;
import io.vertx.core.net.PemTrustOptions;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

/** A proxy as the controller sees it: it enrols, opens streams, says and hears messages; it judges nothing. */
final class FakeProxy implements AutoCloseable {
    private static final int SECONDS = 20;

    private final HttpClient client;
    private final int port;

    private FakeProxy(Vertx vertx, int port, HttpClientOptions options) {
        this.port = port;
        this.client = vertx.createHttpClient(options);
    }

    /** One without a certificate. */
    static FakeProxy stranger(Vertx vertx, int port, TrustBundle trust) {
        return new FakeProxy(vertx, port, options(trust));
    }

    /** One with a certificate of this authority. */
    static FakeProxy with(Vertx vertx, int port, TrustBundle trust, CertificateAuthority authority, SpiffeId identity) {
        KeyPair keys = Authorities.ecKeys();
        return with(vertx, port, trust, keys, authority.sign(keys.getPublic(), identity));
    }

    static FakeProxy with(Vertx vertx, int port, TrustBundle trust, KeyPair keys, List<X509Certificate> chain) {
        return new FakeProxy(
                vertx,
                port,
                options(trust)
                        .setKeyCertOptions(new PemKeyCertOptions()
                                .addKeyValue(Buffer.buffer(Pem.of(keys.getPrivate())))
                                .addCertValue(Buffer.buffer(Pem.of(chain)))));
    }

    private static HttpClientOptions options(TrustBundle trust) {
        PemTrustOptions anchors = new PemTrustOptions();
        trust.anchors().forEach(anchor -> anchors.addCertValue(Buffer.buffer(anchor)));
        return new HttpClientOptions()
                .setProtocolVersion(HttpVersion.HTTP_2)
                .setSsl(true)
                .setUseAlpn(true)
                .setTrustOptions(anchors)
                .setHttp2MaxPoolSize(1)
                .setVerifyHost(true);
    }

    /** Posts and waits for the answer. */
    Reply post(String path, Map<String, String> headers, String body) throws Exception {
        return client.request(HttpMethod.POST, port, "localhost", path)
                .compose(request -> {
                    headers.forEach(request::putHeader);
                    return request.send(Buffer.buffer(body));
                })
                .compose(response -> response.body().map(text -> new Reply(response.statusCode(), text.toString())))
                .toCompletionStage()
                .toCompletableFuture()
                .get(SECONDS, TimeUnit.SECONDS);
    }

    /** Opens a stream and says hello. */
    Stream hello(WorkloadId workload, long held) throws Exception {
        return hello(workload, "one", held);
    }

    Stream hello(WorkloadId workload, String instance, long held) throws Exception {
        Stream stream = open();
        stream.say(new ToController.Hello(workload, instance, "test", ToController.Hello.PROTOCOL, held));
        return stream;
    }

    /** Opens a stream and says nothing. */
    Stream open() throws Exception {
        HttpClientRequest request = client.request(HttpMethod.POST, port, "localhost", "/v1/stream")
                .toCompletionStage()
                .toCompletableFuture()
                .get(SECONDS, TimeUnit.SECONDS);
        return new Stream(request);
    }

    @Override
    public void close() {
        Future<Void> unused = client.close();
    }

    record Reply(int status, String body) {}

    /** One stream. Messages are kept in the order they came. */
    static final class Stream {
        private final HttpClientRequest request;
        private final List<ToProxy> heard = new CopyOnWriteArrayList<>();
        private final CompletableFuture<HttpClientResponse> response = new CompletableFuture<>();
        private final CompletableFuture<String> end = new CompletableFuture<>();
        private final StringBuilder refusal = new StringBuilder();
        private final Lines lines = new Lines(ProxyCodec.MAX_TO_PROXY_BYTES);

        private Stream(HttpClientRequest request) {
            this.request = request;
            request.setChunked(true).exceptionHandler(failure -> end.complete("reset: " + failure.getMessage()));
            request.response().onComplete(answered -> {
                if (answered.failed()) {
                    end.complete("failed: " + answered.cause().getMessage());
                    return;
                }
                HttpClientResponse got = answered.result();
                got.exceptionHandler(failure -> end.complete("reset: " + failure.getMessage()));
                got.endHandler(ended -> end.complete("ended " + refusal));
                got.handler(bytes -> take(got.statusCode(), bytes));
                response.complete(got);
            });
            Future<Void> unused = request.sendHead();
        }

        private void take(int status, Buffer bytes) {
            if (status != 200) {
                refusal.append(bytes);
                return;
            }
            lines.take(bytes, line -> {
                try {
                    ProxyCodec.decodeToProxy(line).ifPresent(heard::add);
                } catch (MalformedMessage e) {
                    end.complete("malformed: " + e.getMessage());
                }
            });
        }

        void say(ToController message) {
            raw(ProxyCodec.encode(message) + "\n");
        }

        void raw(String text) {
            Future<Void> unused = request.write(text);
        }

        /** Stops reading: HTTP/2 then lets no more than one window come. */
        void stopReading() throws Exception {
            response.get(SECONDS, TimeUnit.SECONDS).pause();
        }

        List<ToProxy> heard() {
            return heard;
        }

        <T extends ToProxy> List<T> heard(Class<T> kind) {
            return heard.stream().filter(kind::isInstance).map(kind::cast).toList();
        }

        int status() throws Exception {
            return response.get(SECONDS, TimeUnit.SECONDS).statusCode();
        }

        /** How it ended, and what was said with it; absent while it lasts. */
        Optional<String> ended() {
            return Optional.ofNullable(end.getNow(null));
        }

        String awaitEnd() throws Exception {
            return end.get(SECONDS, TimeUnit.SECONDS);
        }

        void hangUp() {
            request.reset();
        }
    }
}
