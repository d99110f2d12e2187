package dev.tulle.proxy.outbound;

import dev.tulle.proxy.guard.DestinationGuard;
import dev.tulle.proxy.http.Answers;
import dev.tulle.proxy.http.IdentityFields;
import dev.tulle.proxy.http.RequestHandler;
import dev.tulle.proxy.http.RequestHead;
import dev.tulle.proxy.http.ServerStream;
import dev.tulle.proxy.http.StreamListener;
import dev.tulle.proxy.routing.DestinationTable;
import dev.tulle.proxy.routing.NormalizedPath;
import dev.tulle.proxy.routing.PathNormalizer;
import dev.tulle.proxy.routing.RouteTable;
import dev.tulle.proxy.routing.RoutingTable;
import dev.tulle.proxy.upstream.CallGuard;
import dev.tulle.proxy.upstream.DataPlane;
import dev.tulle.proxy.upstream.HttpRelay;
import dev.tulle.proxy.upstream.IgnoredRequest;
import dev.tulle.proxy.upstream.RequestCall;
import dev.tulle.proxy.upstream.Upstreams;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Routes each request of one connection by the table in force when it came: route, share, endpoint. */
final class OutboundRequests implements RequestHandler {
    private final OutboundConnection connection;
    private final DataPlane plane;
    private final Upstreams upstreams;
    private final String service;
    private final boolean http2;
    private @Nullable InForce inForce;

    OutboundRequests(OutboundConnection connection, String service, boolean http2) {
        this.connection = connection;
        this.plane = connection.plane();
        this.upstreams = plane.upstreams(connection.channel().eventLoop());
        this.service = service;
        this.http2 = http2;
    }

    /**
     * What one config says of this connection's requests.
     *
     * @param edition of the table that this was picked from
     * @param destination where they go; absent when it is no longer known
     * @param split of the route that takes them all; absent where the route depends on the request
     * @param guard of the destination; null when it is no longer known
     */
    private record InForce(
            RoutingTable.Edition edition,
            Optional<DestinationTable> destination,
            Optional<Balancer.Split> split,
            @Nullable DestinationGuard guard) {}

    @Override
    public StreamListener onRequest(RequestHead head, boolean end, ServerStream stream) {
        plane.tables().used(connection.key());
        RoutingTable table = plane.tables().table();
        InForce known = inForce;
        if (known == null || !known.edition().equals(table.edition())) {
            known = pick(table);
            inForce = known;
        }
        CallGuard guard = null;
        DestinationGuard destination = known.guard();
        if (destination != null) {
            DestinationGuard.Admission admission = destination.admit(head, http2);
            if (admission.refusal() != null) {
                return refuse(admission.refusal(), head, stream);
            }
            guard = admission.guard();
        }
        Optional<Balancer.Backend> backend = nextBackend(known, head);
        if (backend.isEmpty()) {
            if (guard != null) {
                guard.over();
            }
            connection.balancer().meter(service, "", Optional.empty(), true).ended(true, 503, -1);
            String detail = known.destination().isEmpty()
                    ? "the service %s is no longer known"
                    : "no backend of the service %s has an endpoint that is ready";
            Answers.send(stream, head, 503, "no-endpoint", detail.formatted(service));
            return new IgnoredRequest(stream);
        }
        Balancer.Endpoints endpoints = backend.get().endpoints(destination);
        return HttpRelay.start(
                upstreams,
                head.withFields(head.fields().without(IdentityFields::isIdentity)),
                end,
                http2,
                stream,
                endpoints,
                plane.limits().connections().queueTimeoutOutbound().toMillis(),
                endpoints,
                guard);
    }

    private StreamListener refuse(DestinationGuard.Refusal refusal, RequestHead head, ServerStream stream) {
        connection
                .balancer()
                .meter(service, "", Optional.empty(), true)
                .ended(refusal.status() >= 500, refusal.status(), -1);
        Answers.send(stream, head, refusal.status(), refusal.reason(), refusal.sentence());
        return new IgnoredRequest(stream);
    }

    private InForce pick(RoutingTable table) {
        Optional<DestinationTable> destination = table.destination(connection.key());
        return new InForce(
                table.edition(),
                destination,
                destination.filter(DestinationTable::hasOneRoute).map(one -> splitOf(one.tcpRoute())),
                destination.isEmpty() ? null : connection.guards().of(connection.key(), destination.get()));
    }

    private Optional<Balancer.Backend> nextBackend(InForce known, RequestHead head) {
        if (known.split().isPresent()) {
            return known.split().get().next();
        }
        if (known.destination().isEmpty()) {
            return Optional.empty();
        }
        return splitOf(known.destination().get().routeFor(new RequestCall(head, pathOf(head))))
                .next();
    }

    private Balancer.Split splitOf(RouteTable route) {
        return connection.balancer().splitOf(connection.key(), service, route);
    }

    /** The path as the receiving proxy will judge it; one it will refuse is matched as it stands. */
    private static String pathOf(RequestHead head) {
        return switch (PathNormalizer.normalize(head.target())) {
            case NormalizedPath.Normal(String target, String path) -> path;
            case NormalizedPath.Refused refused -> head.path();
        };
    }
}
