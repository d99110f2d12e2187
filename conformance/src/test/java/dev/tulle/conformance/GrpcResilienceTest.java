package dev.tulle.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.tulle.conformance.mesh.ResilientMesh;
import dev.tulle.conformance.mesh.ResilientMesh.Application;
import dev.tulle.proxy.model.Protocol;
import dev.tulle.proxy.model.RateLimit;
import dev.tulle.proxy.model.Resilience;
import dev.tulle.proxy.model.Resilience.Capacity;
import dev.tulle.proxy.model.Resilience.Fault;
import dev.tulle.proxy.model.Resilience.Retries;
import dev.tulle.proxy.model.Resilience.RetryOn;
import dev.tulle.proxy.model.Resilience.Timeouts;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.ServerCalls;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Timeouts, deadlines, retries, rates and faults as a grpc-java client sees them, through two sidecars. */
@Timeout(60)
class GrpcResilienceTest {
    private static final MethodDescriptor<String, String> FLAKY = method("Flaky", MethodType.UNARY);
    private static final MethodDescriptor<String, String> NEVER = method("Never", MethodType.UNARY);
    private static final MethodDescriptor<String, String> TRICKLE = method("Trickle", MethodType.SERVER_STREAMING);
    private static final Metadata.Key<String> REASON =
            Metadata.Key.of("x-tulle-reason", Metadata.ASCII_STRING_MARSHALLER);
    private static final Metadata.Key<String> TIMEOUT =
            Metadata.Key.of("grpc-timeout", Metadata.ASCII_STRING_MARSHALLER);

    private static final AtomicInteger CALLS = new AtomicInteger();
    private static final ResilientMesh MESH = new ResilientMesh();
    private static final List<ManagedChannel> CHANNELS = new ArrayList<>();

    @TempDir
    private static Path folder;

    private static Server application;
    private static ServerSocket mute;

    @BeforeAll
    static void start() throws IOException {
        application = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .addService(service())
                .build()
                .start();
        Application it = Application.at(application.getPort());
        long always = System.currentTimeMillis() + TimeUnit.DAYS.toMillis(1);
        // An application of gRPC holds the caller's deadline too and could be first; this one says nothing at all.
        mute = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Application silent = Application.at(mute.getLocalPort());
        MESH.service("plain", Protocol.GRPC, Resilience.NONE, silent)
                .service("silent", Protocol.GRPC, resilience(new Timeouts(2000, 0, 0), Optional.empty()), silent)
                .service("timed", Protocol.GRPC, resilience(new Timeouts(400, 0, 0), Optional.empty()), it)
                .service(
                        "repeating",
                        Protocol.GRPC,
                        resilience(
                                Timeouts.NONE,
                                Optional.of(new Retries(2, EnumSet.of(RetryOn.UNAVAILABLE), List.of("POST")))),
                        it)
                .service(
                        "cautious",
                        Protocol.GRPC,
                        resilience(
                                Timeouts.NONE, Optional.of(new Retries(2, EnumSet.of(RetryOn.UNAVAILABLE), List.of()))),
                        it)
                .service("limited", Protocol.GRPC, Resilience.NONE, Optional.of(new RateLimit(1, 3_600_000, 1)), it)
                .service(
                        "faulty",
                        Protocol.GRPC,
                        new Resilience(
                                Timeouts.NONE,
                                Optional.empty(),
                                Optional.empty(),
                                Capacity.UNLIMITED,
                                List.of(new Fault.Abort(503, 1_000_000, always)),
                                false),
                        it)
                .start(folder);
    }

    @AfterAll
    static void stop() throws InterruptedException, IOException {
        for (ManagedChannel channel : CHANNELS) {
            channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
        }
        MESH.close();
        application.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
        mute.close();
    }

    @Test
    void endsACallThatTakesTooLongWithDeadlineExceeded() {
        StatusRuntimeException failure = failureOf("timed", NEVER, CallOptions.DEFAULT);

        assertThat(failure.getStatus().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
        assertThat(reason(failure)).isEqualTo("timeout");
    }

    @Test
    void endsAStreamThatTakesTooLongWithDeadlineExceeded() {
        Iterator<String> trickle =
                ClientCalls.blockingServerStreamingCall(channel("timed"), TRICKLE, CallOptions.DEFAULT, "");
        assertThat(trickle.next()).isEqualTo("first");

        StatusRuntimeException failure = catchThrowableOfType(StatusRuntimeException.class, trickle::next);
        assertThat(failure.getStatus().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
    }

    @Test
    void holdsTheCallersDeadlineWithoutAnyPolicy() {
        StatusRuntimeException failure = failureOf(said("plain", "300m"), NEVER);

        assertThat(failure.getStatus().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
        assertThat(reason(failure)).isEqualTo("deadline");
    }

    @Test
    void letsTheCallerShortenATimeoutButNotExtendIt() {
        assertThat(reason(failureOf(said("silent", "50m"), NEVER))).isEqualTo("deadline");
        assertThat(reason(failureOf(said("silent", "1H"), NEVER))).isEqualTo("timeout");
    }

    @Test
    void sendsACallAgainThatTheServiceSaysMayBe() {
        CALLS.set(0);

        assertThat(ClientCalls.blockingUnaryCall(channel("repeating"), FLAKY, CallOptions.DEFAULT, "again"))
                .isEqualTo("again");
        assertThat(CALLS).hasValue(3);
    }

    @Test
    void sendsNoCallAgainUnlessTheServiceSaysSo() {
        CALLS.set(0);

        assertThat(failureOf("cautious", FLAKY, CallOptions.DEFAULT).getStatus().getCode())
                .isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(CALLS).hasValue(1);
    }

    @Test
    void refusesACallerThatAsksTooOftenWithResourceExhausted() {
        CALLS.set(2);
        assertThat(ClientCalls.blockingUnaryCall(channel("limited"), FLAKY, CallOptions.DEFAULT, "one"))
                .isEqualTo("one");

        StatusRuntimeException failure = failureOf("limited", FLAKY, CallOptions.DEFAULT);
        assertThat(failure.getStatus().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
        assertThat(reason(failure)).isEqualTo("rate-limit");
    }

    @Test
    void abortsACallWithTheStatusThatStandsForTheFault() {
        StatusRuntimeException failure = failureOf("faulty", FLAKY, CallOptions.DEFAULT);

        assertThat(failure.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(reason(failure)).isEqualTo("fault-abort");
    }

    private static Resilience resilience(Timeouts timeouts, Optional<Retries> retries) {
        return new Resilience(timeouts, retries, Optional.empty(), Capacity.UNLIMITED, List.of(), false);
    }

    private static ManagedChannel channel(String service) {
        ManagedChannel channel = NettyChannelBuilder.forAddress("127.0.0.1", MESH.port(service))
                .usePlaintext()
                .disableRetry()
                .build();
        CHANNELS.add(channel);
        return channel;
    }

    /** A client that tells the proxy a deadline and itself holds none. */
    private static Channel said(String service, String timeout) {
        Metadata headers = new Metadata();
        headers.put(TIMEOUT, timeout);
        return ClientInterceptors.intercept(channel(service), MetadataUtils.newAttachHeadersInterceptor(headers));
    }

    private static StatusRuntimeException failureOf(
            String service, MethodDescriptor<String, String> method, CallOptions options) {
        return catchThrowableOfType(
                StatusRuntimeException.class,
                () -> ClientCalls.blockingUnaryCall(channel(service), method, options, "x"));
    }

    private static StatusRuntimeException failureOf(Channel channel, MethodDescriptor<String, String> method) {
        return catchThrowableOfType(
                StatusRuntimeException.class,
                () -> ClientCalls.blockingUnaryCall(channel, method, CallOptions.DEFAULT, "x"));
    }

    private static String reason(StatusRuntimeException failure) {
        Metadata trailers = failure.getTrailers();
        String reason = trailers == null ? null : trailers.get(REASON);
        return reason == null ? "" : reason;
    }

    private static ServerServiceDefinition service() {
        return ServerServiceDefinition.builder("shop.Flaky")
                .addMethod(FLAKY, ServerCalls.asyncUnaryCall((request, answer) -> {
                    // Every third call is answered.
                    if (CALLS.incrementAndGet() % 3 == 0) {
                        answer.onNext(request);
                        answer.onCompleted();
                    } else {
                        answer.onError(Status.UNAVAILABLE.asRuntimeException());
                    }
                }))
                .addMethod(NEVER, ServerCalls.asyncUnaryCall((request, answer) -> {}))
                .addMethod(TRICKLE, ServerCalls.asyncServerStreamingCall((request, answer) -> answer.onNext("first")))
                .build();
    }

    private static MethodDescriptor<String, String> method(String name, MethodType type) {
        return MethodDescriptor.<String, String>newBuilder()
                .setFullMethodName(MethodDescriptor.generateFullMethodName("shop.Flaky", name))
                .setType(type)
                .setRequestMarshaller(new Utf8())
                .setResponseMarshaller(new Utf8())
                .build();
    }

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
