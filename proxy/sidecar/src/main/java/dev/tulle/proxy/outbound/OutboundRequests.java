package dev.tulle.proxy.outbound;

import dev.tulle.proxy.http.Answers;
import dev.tulle.proxy.http.IdentityFields;
import dev.tulle.proxy.http.RequestHandler;
import dev.tulle.proxy.http.RequestHead;
import dev.tulle.proxy.http.ServerStream;
import dev.tulle.proxy.http.StreamListener;
import dev.tulle.proxy.model.Cluster;
import dev.tulle.proxy.model.Endpoint;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.routing.DestinationTable;
import dev.tulle.proxy.routing.NormalizedPath;
import dev.tulle.proxy.routing.PathNormalizer;
import dev.tulle.proxy.routing.RouteTable;
import dev.tulle.proxy.upstream.DataPlane;
import dev.tulle.proxy.upstream.HttpRelay;
import dev.tulle.proxy.upstream.IgnoredRequest;
import dev.tulle.proxy.upstream.RequestCall;
import java.util.Optional;

/** Routes each request of one connection by the table in force when it came: route, share, endpoint. */
final class OutboundRequests implements RequestHandler {
    private final OutboundConnection connection;
    private final DataPlane plane;
    private final String service;
    private final boolean http2;

    OutboundRequests(OutboundConnection connection, String service, boolean http2) {
        this.connection = connection;
        this.plane = connection.plane();
        this.service = service;
        this.http2 = http2;
    }

    @Override
    public StreamListener onRequest(RequestHead head, boolean end, ServerStream stream) {
        plane.tables().used(connection.key());
        Optional<DestinationTable> table = plane.tables().table().destination(connection.key());
        RequestCall call = new RequestCall(head, pathOf(head));
        Optional<RouteTable> route = table.map(known -> known.routeFor(call));
        Optional<Cluster> cluster = route.flatMap(known -> connection.balancer().nextCluster(connection.key(), known));
        if (cluster.isEmpty()) {
            connection.meter(service, "", Optional.empty(), true).ended(true, 503, -1);
            String detail = table.isEmpty()
                    ? "the service %s is no longer known"
                    : "no backend of the service %s has an endpoint that is ready";
            Answers.send(stream, head, 503, "no-endpoint", detail.formatted(service));
            return new IgnoredRequest(stream);
        }
        String backend = cluster.get().name();
        Balancer.Endpoints endpoints = connection.balancer().endpointsOf(cluster.get());
        return HttpRelay.start(
                plane.upstreams(connection.channel().eventLoop()),
                head.withFields(head.fields().toBuilder()
                        .removeIf(IdentityFields::isIdentity)
                        .build()),
                end,
                http2,
                stream,
                endpoints,
                plane.limits().connections().queueTimeoutOutbound().toMillis(),
                (failure, status, firstByteMicros) -> {
                    Optional<SpiffeId> peer = endpoints.last().flatMap(Endpoint::identity);
                    connection.meter(service, backend, peer, true).ended(failure, status, firstByteMicros);
                },
                null);
    }

    /** The path as the receiving proxy will judge it; one it will refuse is matched as it stands. */
    private static String pathOf(RequestHead head) {
        return switch (PathNormalizer.normalize(head.target())) {
            case NormalizedPath.Normal(String target, String path) -> path;
            case NormalizedPath.Refused refused -> head.path();
        };
    }
}
