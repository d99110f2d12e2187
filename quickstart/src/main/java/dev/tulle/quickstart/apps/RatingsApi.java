package dev.tulle.quickstart.apps;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/** The one gRPC method of the shop, and its client: a product's name in, its number of stars out. */
final class RatingsApi {
    static final String SERVICE = "shop.Ratings";

    /** Messages are UTF-8 text: gRPC frames whatever bytes a marshaller makes, so the shop needs no schema compiler. */
    static final MethodDescriptor<String, String> STARS = MethodDescriptor.<String, String>newBuilder()
            .setType(MethodDescriptor.MethodType.UNARY)
            .setFullMethodName(MethodDescriptor.generateFullMethodName(SERVICE, "Stars"))
            .setRequestMarshaller(new Utf8())
            .setResponseMarshaller(new Utf8())
            .build();

    private static final long DEADLINE_SECONDS = 10;

    private RatingsApi() {}

    /** How a call ended; {@code stars} is empty unless the status is OK. */
    record Outcome(Status status, String stars) {}

    /** Calls over plain HTTP/2: securing it is the mesh's affair. */
    static final class Client {
        private final ManagedChannel channel;

        Client(String address) {
            channel = NettyChannelBuilder.forTarget("dns:///" + address)
                    .usePlaintext()
                    .build();
        }

        /** One call for the user whose {@code call} caused it. */
        Outcome starsOf(String product, Seen.Call call) {
            Metadata metadata = new Metadata();
            String tag = call.headers().get(Seen.TAG_HEADER);
            if (tag != null) {
                metadata.put(Metadata.Key.of(Seen.TAG_HEADER, Metadata.ASCII_STRING_MARSHALLER), tag);
            }
            try {
                String stars = ClientCalls.blockingUnaryCall(
                        io.grpc.ClientInterceptors.intercept(
                                channel, MetadataUtils.newAttachHeadersInterceptor(metadata)),
                        STARS,
                        CallOptions.DEFAULT.withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS),
                        product);
                return new Outcome(Status.OK, stars);
            } catch (StatusRuntimeException e) {
                return new Outcome(e.getStatus(), "");
            }
        }
    }

    private static final class Utf8 implements MethodDescriptor.Marshaller<String> {
        @Override
        public InputStream stream(String value) {
            return new ByteArrayInputStream(value.getBytes(StandardCharsets.UTF_8));
        }

        @Override
        public String parse(InputStream stream) {
            try (stream) {
                return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
