package dev.tulle.proxy.inbound;

import dev.tulle.proxy.http.Answers;
import dev.tulle.proxy.http.Fields;
import dev.tulle.proxy.http.IdentityFields;
import dev.tulle.proxy.http.RequestHandler;
import dev.tulle.proxy.http.RequestHead;
import dev.tulle.proxy.http.ServerStream;
import dev.tulle.proxy.http.StreamListener;
import dev.tulle.proxy.model.InboundPort;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.WorkloadConfig;
import dev.tulle.proxy.policy.InboundCall;
import dev.tulle.proxy.policy.Reason;
import dev.tulle.proxy.policy.Verdict;
import dev.tulle.proxy.routing.NormalizedPath;
import dev.tulle.proxy.routing.PathNormalizer;
import dev.tulle.proxy.routing.RoutingTable;
import dev.tulle.proxy.telemetry.EdgeMeter;
import dev.tulle.proxy.upstream.Attempt;
import dev.tulle.proxy.upstream.DataPlane;
import dev.tulle.proxy.upstream.HttpRelay;
import dev.tulle.proxy.upstream.IgnoredRequest;
import dev.tulle.proxy.upstream.RequestCall;
import dev.tulle.proxy.upstream.Target;
import java.util.Optional;

/**
 * Judges each request of one connection by the config in force when it came, and sends it to the application with the path that was
 * judged and the identity that was verified.
 */
final class InboundRequests implements RequestHandler {
    private final InboundConnection connection;
    private final DataPlane plane;
    private final boolean http2;
    private final EdgeMeter meter;

    InboundRequests(InboundConnection connection, boolean http2) {
        this.connection = connection;
        this.plane = connection.plane();
        this.http2 = http2;
        this.meter = connection.meter(true);
    }

    @Override
    public StreamListener onRequest(RequestHead head, boolean end, ServerStream stream) {
        RoutingTable table = plane.tables().table();
        Optional<InboundPort> port = connection.port(table);
        if (port.isEmpty()) {
            return refuse(stream, head, 503, "no-port", "this workload has no such port any more");
        }
        return switch (PathNormalizer.normalize(head.target())) {
            case NormalizedPath.Refused(NormalizedPath.Reason reason) ->
                refuse(
                        stream,
                        head,
                        400,
                        reason.wireName(),
                        "the path could be read in more than one way; spell it plainly");
            case NormalizedPath.Normal(String target, String path) ->
                judge(table, port.get(), head.withTarget(target), path, end, stream);
        };
    }

    private StreamListener judge(
            RoutingTable table, InboundPort port, RequestHead head, String path, boolean end, ServerStream stream) {
        if (!isHealthCheck(table.config().workload(), port, head, path)) {
            RequestCall call = new RequestCall(head, path);
            switch (table.authorizer().judge(connection.caller(), InboundCall.request(port.port(), call))) {
                case Verdict.Allow allow -> {}
                case Verdict.Audit(Reason reason, String detail) ->
                    meter.denied(connection.denial(reason, detail, head.method(), path, true));
                case Verdict.Deny(Reason reason, String detail) -> {
                    meter.denied(connection.denial(reason, detail, head.method(), path, false));
                    return refuse(stream, head, 403, reason.wireName(), detail);
                }
            }
        }
        return HttpRelay.start(
                plane.upstreams(connection.channel().eventLoop()),
                head.withFields(
                        identified(head.fields(), table.config().workload().identity())),
                end,
                http2,
                stream,
                Attempt.Source.only(Target.application(
                        port.application(), connection.caller().identity())),
                plane.limits().connections().queueTimeoutInbound().toMillis(),
                meter::ended,
                null);
    }

    /** Whoever watches over the workload may always ask whether it is well, so that no rule can make it look ill. */
    private static boolean isHealthCheck(WorkloadConfig config, InboundPort port, RequestHead head, String path) {
        return head.method().equals("GET")
                && config.healthCheck()
                        .filter(check -> !check.path().isEmpty()
                                && check.address().equals(port.application())
                                && check.path().equals(path))
                        .isPresent();
    }

    /** Takes away what the caller says of its identity and tells what was verified. */
    private Fields identified(Fields fields, SpiffeId self) {
        Fields.Builder builder = fields.toBuilder().removeIf(IdentityFields::isIdentity);
        connection
                .caller()
                .identity()
                .ifPresent(peer -> builder.add(IdentityFields.CLIENT_CERT, "By=" + self.uri() + ";URI=" + peer.uri()));
        return builder.build();
    }

    private static StreamListener refuse(
            ServerStream stream, RequestHead head, int status, String reason, String sentence) {
        Answers.send(stream, head, status, reason, sentence);
        return new IgnoredRequest(stream);
    }
}
