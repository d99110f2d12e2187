package dev.tulle.quickstart.apps;

import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCalls;
import java.io.IOException;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** The ratings: gRPC by grpc-java over plain HTTP/2. */
final class Ratings {
    private Ratings() {}

    static Server start(AppArguments arguments, Seen seen) throws IOException {
        HttpApp.control(arguments, seen, Map.of());
        ServerServiceDefinition service = ServerServiceDefinition.builder(RatingsApi.SERVICE)
                .addMethod(RatingsApi.STARS, ServerCalls.asyncUnaryCall((product, answer) -> {
                    answer.onNext(product.equals("tulle") ? "5" : "3");
                    answer.onCompleted();
                }))
                .build();
        return NettyServerBuilder.forAddress(arguments.listen())
                .addService(service)
                .intercept(new Recorder(seen))
                .build()
                .start();
    }

    private record Recorder(Seen seen) implements ServerInterceptor {
        @Override
        public <A, B> ServerCall.Listener<A> interceptCall(
                ServerCall<A, B> call, Metadata metadata, ServerCallHandler<A, B> next) {
            Map<String, String> headers = new TreeMap<>();
            for (String name : metadata.keys()) {
                if (!name.endsWith(Metadata.BINARY_HEADER_SUFFIX)) {
                    headers.put(
                            name.toLowerCase(Locale.ROOT),
                            metadata.get(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER)));
                }
            }
            seen.add(new Seen.Call("gRPC", "/" + call.getMethodDescriptor().getFullMethodName(), headers));
            return next.startCall(call, metadata);
        }
    }
}
