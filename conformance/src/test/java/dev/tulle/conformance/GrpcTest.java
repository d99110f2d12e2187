package dev.tulle.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.tulle.conformance.mesh.SidecarPair;
import dev.tulle.proxy.model.Grant;
import dev.tulle.proxy.model.HttpMatch;
import dev.tulle.proxy.model.InboundPolicy;
import dev.tulle.proxy.model.Protocol;
import dev.tulle.proxy.model.SpiffeId;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** grpc-java as client and as server, through two sidecars. */
@Timeout(60)
class GrpcTest {
    private static final String SERVICE = "shop.Echo";

    private static final MethodDescriptor<String, String> UNARY = method("Unary", MethodType.UNARY);
    private static final MethodDescriptor<String, String> MANY = method("Many", MethodType.SERVER_STREAMING);
    private static final MethodDescriptor<String, String> COLLECT = method("Collect", MethodType.CLIENT_STREAMING);
    private static final MethodDescriptor<String, String> CHAT = method("Chat", MethodType.BIDI_STREAMING);
    private static final MethodDescriptor<String, String> NEVER = method("Never", MethodType.UNARY);
    private static final MethodDescriptor<String, String> FAIL = method("Fail", MethodType.UNARY);
    private static final MethodDescriptor<String, String> SECRET = method("Secret", MethodType.UNARY);

    private static final Metadata.Key<byte[]> RAW = Metadata.Key.of("x-raw-bin", Metadata.BINARY_BYTE_MARSHALLER);
    private static final List<Metadata> RECORDED = new CopyOnWriteArrayList<>();
    private static final AtomicInteger CANCELLED = new AtomicInteger();
    private static final AtomicInteger HUNG = new AtomicInteger();

    @TempDir
    private static Path folder;

    private static Server application;
    private static SidecarPair mesh;
    private static ManagedChannel channel;

    @BeforeAll
    static void start() throws IOException {
        application = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .maxConnectionAge(700, TimeUnit.MILLISECONDS)
                .maxConnectionAgeGrace(30, TimeUnit.SECONDS)
                .addService(ServerInterceptors.intercept(service(), new Recording()))
                .build()
                .start();
        // Everything but Secret.
        InboundPolicy policy = new InboundPolicy(
                InboundPolicy.Access.CLOSED,
                InboundPolicy.Unmeshed.ALLOW,
                false,
                List.of(new Grant(
                        "shop/echo",
                        List.of(new SpiffeId("cluster.local", "shop", "web")),
                        Optional.empty(),
                        Optional.of(List.of(new HttpMatch(
                                "echo/calls",
                                Optional.of(new HttpMatch.PathPattern(
                                        "/shop.Echo/(Unary|Many|Collect|Chat|Never|Fail)", true)),
                                List.of("POST"),
                                List.of()))))));
        mesh = SidecarPair.withPolicy(folder, Protocol.GRPC, application.getPort(), policy);
        channel = NettyChannelBuilder.forAddress("127.0.0.1", mesh.outboundPort())
                .usePlaintext()
                .build();
    }

    @AfterAll
    static void stop() throws InterruptedException {
        if (channel != null) {
            channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
        }
        if (mesh != null) {
            mesh.close();
        }
        application.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }

    @Test
    void callsPassOneByOneAndAtOnce() throws Exception {
        assertThat(ClientCalls.blockingUnaryCall(channel, UNARY, options(), "one"))
                .isEqualTo("one");
        List<CompletableFuture<String>> answers = new ArrayList<>();
        for (int i = 0; i < 500; i++) {
            CompletableFuture<String> answer = new CompletableFuture<>();
            answers.add(answer);
            ClientCalls.asyncUnaryCall(channel.newCall(UNARY, options()), "call " + i, completing(answer));
        }
        for (int i = 0; i < 500; i++) {
            assertThat(answers.get(i).get(20, TimeUnit.SECONDS)).isEqualTo("call " + i);
        }
    }

    @Test
    void aMessageLargerThanEveryWindowPassesWhole() {
        String large = "0123456789".repeat(300_000);
        assertThat(ClientCalls.blockingUnaryCall(channel, UNARY, options(), large))
                .isEqualTo(large);
    }

    @Test
    void streamsPassBothWays() throws Exception {
        // From the server.
        Iterator<String> many = ClientCalls.blockingServerStreamingCall(channel, MANY, options(), "1000");
        int count = 0;
        while (many.hasNext()) {
            assertThat(many.next()).isEqualTo("message " + count++);
        }
        assertThat(count).isEqualTo(1000);
        // From the client.
        CompletableFuture<String> collected = new CompletableFuture<>();
        StreamObserver<String> sending =
                ClientCalls.asyncClientStreamingCall(channel.newCall(COLLECT, options()), completing(collected));
        for (int i = 0; i < 1000; i++) {
            sending.onNext("x");
        }
        sending.onCompleted();
        assertThat(collected.get(20, TimeUnit.SECONDS)).isEqualTo("1000 messages");
        // Both at once, each answer before the next question: nothing may be held back.
        List<String> heard = new CopyOnWriteArrayList<>();
        CompletableFuture<String> ended = new CompletableFuture<>();
        StreamObserver<String> chat =
                ClientCalls.asyncBidiStreamingCall(channel.newCall(CHAT, options()), new StreamObserver<>() {
                    @Override
                    public void onNext(String message) {
                        heard.add(message);
                    }

                    @Override
                    public void onError(Throwable error) {
                        ended.completeExceptionally(error);
                    }

                    @Override
                    public void onCompleted() {
                        ended.complete("");
                    }
                });
        for (int i = 0; i < 20; i++) {
            int expected = i + 1;
            chat.onNext("question " + i);
            await().atMost(Duration.ofSeconds(10)).until(() -> heard.size() == expected);
        }
        chat.onCompleted();
        ended.get(10, TimeUnit.SECONDS);
        assertThat(heard.getLast()).isEqualTo("question 19");
    }

    @Test
    void connectionsThatTheServerRetiresFailNoCall() {
        long end = System.nanoTime() + Duration.ofSeconds(3).toNanos();
        int calls = 0;
        while (System.nanoTime() < end) {
            assertThat(ClientCalls.blockingUnaryCall(channel, UNARY, options(), "call " + calls))
                    .isEqualTo("call " + calls);
            calls++;
        }
        assertThat(calls).isGreaterThan(10);
    }

    @Test
    void compressionDeadlineAndBinaryMetadataReachTheServerAsTheyWere() {
        // Given
        byte[] bytes = new byte[256];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) i;
        }
        Metadata metadata = new Metadata();
        metadata.put(RAW, bytes);
        // When
        String answer = ClientCalls.blockingUnaryCall(
                ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(metadata)),
                UNARY,
                CallOptions.DEFAULT.withDeadlineAfter(25, TimeUnit.SECONDS).withCompression("gzip"),
                "a".repeat(10_000));
        // Then
        assertThat(answer).isEqualTo("a".repeat(10_000));
        assertThat(RECORDED).anySatisfy(seen -> {
            assertThat(seen.get(RAW)).isEqualTo(bytes);
            assertThat(seen.get(Metadata.Key.of("grpc-encoding", Metadata.ASCII_STRING_MARSHALLER)))
                    .isEqualTo("gzip");
            assertThat(seen.containsKey(Metadata.Key.of("grpc-timeout", Metadata.ASCII_STRING_MARSHALLER)))
                    .isTrue();
        });
    }

    @Test
    void aCancelledCallIsCancelledAtTheServer() {
        int before = CANCELLED.get();
        int hung = HUNG.get();
        ClientCall<String, String> call = channel.newCall(NEVER, CallOptions.DEFAULT);
        ClientCalls.asyncUnaryCall(call, "x", completing(new CompletableFuture<>()));
        await().atMost(Duration.ofSeconds(10)).until(() -> HUNG.get() == hung + 1);
        // When
        call.cancel("changed my mind", null);
        // Then
        await().atMost(Duration.ofSeconds(10)).until(() -> CANCELLED.get() == before + 1);
    }

    @Test
    void aDeadlineEndsTheCallOnBothSides() {
        int before = CANCELLED.get();
        assertThatThrownBy(() -> ClientCalls.blockingUnaryCall(
                        channel, NEVER, CallOptions.DEFAULT.withDeadlineAfter(500, TimeUnit.MILLISECONDS), "x"))
                .isInstanceOfSatisfying(
                        StatusRuntimeException.class,
                        error -> assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED));
        await().atMost(Duration.ofSeconds(10)).until(() -> CANCELLED.get() == before + 1);
    }

    @Test
    void aFailureKeepsItsStatusMessageAndTrailers() {
        assertThatThrownBy(() -> ClientCalls.blockingUnaryCall(channel, FAIL, options(), "sold out"))
                .isInstanceOfSatisfying(StatusRuntimeException.class, error -> {
                    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.FAILED_PRECONDITION);
                    assertThat(error.getStatus().getDescription()).isEqualTo("sold out: h\u00e4lf price");
                    assertThat(Optional.ofNullable(error.getTrailers())
                                    .map(trailers -> trailers.get(
                                            Metadata.Key.of("x-detail", Metadata.ASCII_STRING_MARSHALLER))))
                            .contains("7 left");
                });
    }

    @Test
    void aDeniedCallIsAStatusNotABrokenConnection() {
        assertThatThrownBy(() -> ClientCalls.blockingUnaryCall(channel, SECRET, options(), "x"))
                .isInstanceOfSatisfying(StatusRuntimeException.class, error -> {
                    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.PERMISSION_DENIED);
                    assertThat(error.getStatus().getDescription()).contains("shop/sa/web");
                    assertThat(Optional.ofNullable(error.getTrailers())
                                    .map(trailers -> trailers.get(
                                            Metadata.Key.of("x-tulle-reason", Metadata.ASCII_STRING_MARSHALLER))))
                            .contains("no-route");
                });
        assertThat(ClientCalls.blockingUnaryCall(channel, UNARY, options(), "still here"))
                .isEqualTo("still here");
    }

    private static CallOptions options() {
        return CallOptions.DEFAULT.withDeadlineAfter(30, TimeUnit.SECONDS);
    }

    private static ServerServiceDefinition service() {
        return ServerServiceDefinition.builder(SERVICE)
                .addMethod(UNARY, ServerCalls.asyncUnaryCall((request, answers) -> {
                    answers.onNext(request);
                    answers.onCompleted();
                }))
                .addMethod(MANY, ServerCalls.asyncServerStreamingCall((request, answers) -> {
                    for (int i = 0; i < Integer.parseInt(request); i++) {
                        answers.onNext("message " + i);
                    }
                    answers.onCompleted();
                }))
                .addMethod(COLLECT, ServerCalls.asyncClientStreamingCall(Collecting::new))
                .addMethod(CHAT, ServerCalls.asyncBidiStreamingCall(Echoing::new))
                .addMethod(NEVER, never())
                .addMethod(FAIL, ServerCalls.asyncUnaryCall((request, answers) -> {
                    Metadata trailers = new Metadata();
                    trailers.put(Metadata.Key.of("x-detail", Metadata.ASCII_STRING_MARSHALLER), "7 left");
                    answers.onError(Status.FAILED_PRECONDITION
                            .withDescription(request + ": h\u00e4lf price")
                            .asRuntimeException(trailers));
                }))
                .addMethod(SECRET, ServerCalls.asyncUnaryCall((request, answers) -> {
                    answers.onNext("the secret");
                    answers.onCompleted();
                }))
                .build();
    }

    private static ServerCallHandler<String, String> never() {
        return ServerCalls.asyncUnaryCall((request, answers) -> {
            ((ServerCallStreamObserver<String>) answers).setOnCancelHandler(CANCELLED::incrementAndGet);
            HUNG.incrementAndGet();
        });
    }

    /** Remembers the metadata of every call. */
    private static final class Recording implements ServerInterceptor {
        @Override
        public <Q, A> ServerCall.Listener<Q> interceptCall(
                ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
            RECORDED.add(headers);
            return next.startCall(call, headers);
        }
    }

    private static final class Collecting implements StreamObserver<String> {
        private final StreamObserver<String> answers;
        private int count;

        Collecting(StreamObserver<String> answers) {
            this.answers = answers;
        }

        @Override
        public void onNext(String message) {
            count++;
        }

        @Override
        public void onError(Throwable error) {}

        @Override
        public void onCompleted() {
            answers.onNext(count + " messages");
            answers.onCompleted();
        }
    }

    private record Echoing(StreamObserver<String> answers) implements StreamObserver<String> {
        @Override
        public void onNext(String message) {
            answers.onNext(message);
        }

        @Override
        public void onError(Throwable error) {}

        @Override
        public void onCompleted() {
            answers.onCompleted();
        }
    }

    private static StreamObserver<String> completing(CompletableFuture<String> answer) {
        return new StreamObserver<>() {
            @Override
            public void onNext(String message) {
                answer.complete(message);
            }

            @Override
            public void onError(Throwable error) {
                answer.completeExceptionally(error);
            }

            @Override
            public void onCompleted() {}
        };
    }

    private static MethodDescriptor<String, String> method(String name, MethodType type) {
        return MethodDescriptor.<String, String>newBuilder()
                .setFullMethodName(MethodDescriptor.generateFullMethodName(SERVICE, name))
                .setType(type)
                .setRequestMarshaller(new Utf8())
                .setResponseMarshaller(new Utf8())
                .build();
    }

    /** Messages are text; no protobuf is needed to look at HTTP/2. */
    private static final class Utf8 implements MethodDescriptor.Marshaller<String> {
        @Override
        public InputStream stream(String value) {
            return new ByteArrayInputStream(value.getBytes(StandardCharsets.UTF_8));
        }

        @Override
        public String parse(InputStream stream) {
            try {
                return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
