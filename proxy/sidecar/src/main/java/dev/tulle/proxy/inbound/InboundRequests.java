package dev.tulle.proxy.inbound;

import dev.tulle.proxy.guard.PortRates;
import dev.tulle.proxy.http.Answers;
import dev.tulle.proxy.http.Fields;
import dev.tulle.proxy.http.IdentityFields;
import dev.tulle.proxy.http.RequestHandler;
import dev.tulle.proxy.http.RequestHead;
import dev.tulle.proxy.http.ServerStream;
import dev.tulle.proxy.http.StreamListener;
import dev.tulle.proxy.model.InboundPort;
import dev.tulle.proxy.model.WorkloadConfig;
import dev.tulle.proxy.policy.CallerRules;
import dev.tulle.proxy.policy.InboundCall;
import dev.tulle.proxy.policy.Reason;
import dev.tulle.proxy.policy.Verdict;
import dev.tulle.proxy.routing.NormalizedPath;
import dev.tulle.proxy.routing.PathNormalizer;
import dev.tulle.proxy.routing.Probes;
import dev.tulle.proxy.routing.RoutingTable;
import dev.tulle.proxy.telemetry.EdgeMeter;
import dev.tulle.proxy.upstream.Attempt;
import dev.tulle.proxy.upstream.DataPlane;
import dev.tulle.proxy.upstream.HttpRelay;
import dev.tulle.proxy.upstream.IgnoredRequest;
import dev.tulle.proxy.upstream.RequestCall;
import dev.tulle.proxy.upstream.Target;
import dev.tulle.proxy.upstream.Upstreams;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Judges each request of one connection by the config in force when it came, and sends it to the application with the path that was
 * judged and the identity that was verified.
 */
final class InboundRequests implements RequestHandler {
    /** For probes: they would speak for an application that nobody calls, and make it look well. */
    private static final HttpRelay.Ended UNCOUNTED = (failure, status, firstByteMicros) -> {};

    private final InboundConnection connection;
    private final DataPlane plane;
    private final Upstreams upstreams;
    private final boolean http2;
    private final EdgeMeter meter;
    private final HttpRelay.Ended ended;
    private final String source;
    private @Nullable InForce inForce;

    InboundRequests(InboundConnection connection, boolean http2) {
        this.connection = connection;
        this.plane = connection.plane();
        this.upstreams = plane.upstreams(connection.channel().eventLoop());
        this.http2 = http2;
        this.meter = connection.meter(true);
        this.ended = meter::ended;
        this.source = connection.source();
    }

    /**
     * What one config says of this connection's requests.
     *
     * @param edition of the table that this was picked from
     * @param rules of this caller at this port
     * @param probePath of the health check that asks this application; empty for none
     * @param probes of the platform at this port
     * @param gate how often callers may ask; null where that is not limited
     * @param client value of the field that tells who calls; empty without identity
     */
    private record InForce(
            RoutingTable.Edition edition,
            int port,
            Attempt application,
            CallerRules rules,
            String probePath,
            Probes probes,
            PortRates.@Nullable Gate gate,
            String client) {
        boolean isProbe(RequestHead head, String target, boolean end) {
            if (probes.isEmpty()) {
                return false;
            }
            return head.isGrpc()
                    ? probes.admitsGrpc(head.method(), target)
                    : end && !head.websocket() && probes.admitsHttp(head.method(), target);
        }

        /** Whoever watches over the workload may always ask whether it is well, so that no rule can make it look ill. */
        boolean isHealthCheck(RequestHead head, String path) {
            return !probePath.isEmpty() && head.method().equals("GET") && probePath.equals(path);
        }
    }

    @Override
    public StreamListener onRequest(RequestHead head, boolean end, ServerStream stream) {
        RoutingTable table = plane.tables().table();
        InForce known = inForce;
        if (known == null || !known.edition().equals(table.edition())) {
            known = pick(table);
            inForce = known;
        }
        if (known == null) {
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
            case NormalizedPath.Normal(String target, String path) -> judge(known, head, target, path, end, stream);
        };
    }

    /** Picks what concerns this connection; null when its port is gone. */
    private @Nullable InForce pick(RoutingTable table) {
        InboundPort port = connection.port(table).orElse(null);
        if (port == null) {
            return null;
        }
        WorkloadConfig config = table.config().workload();
        return new InForce(
                table.edition(),
                port.port(),
                Attempt.unobserved(Target.application(
                        port.application(), connection.caller().identity())),
                table.authorizer().rulesFor(connection.caller(), port.port()),
                config.healthCheck()
                        .filter(check -> check.address().equals(port.application()))
                        .map(WorkloadConfig.HealthCheck::path)
                        .orElse(""),
                table.probes(port.port()),
                connection.gate(port),
                connection
                        .caller()
                        .identity()
                        .map(peer -> "By=" + config.identity().uri() + ";URI=" + peer.uri())
                        .orElse(""));
    }

    private StreamListener judge(
            InForce known, RequestHead head, String target, String path, boolean end, ServerStream stream) {
        if (known.isProbe(head, target, end)) {
            Fields fields = identified(head.fields(), known.client());
            boolean allowed = verdict(known, head, target, path) instanceof Verdict.Allow;
            return send(
                    known,
                    head.with(target, allowed ? fields : fields.without(InboundRequests::leadsElsewhere)),
                    end,
                    stream,
                    known.client().isEmpty() && isKubelet(head) ? UNCOUNTED : ended);
        }
        if (!known.isHealthCheck(head, path)) {
            Verdict verdict = verdict(known, head, target, path);
            switch (verdict) {
                case Verdict.Allow allow -> {}
                case Verdict.Audit(Reason reason, String detail) ->
                    meter.denied(connection.denial(reason, detail, head.method(), path, true));
                case Verdict.Deny(Reason reason, String detail) -> {
                    meter.denied(connection.denial(reason, detail, head.method(), path, false));
                    return refuse(stream, head, 403, reason.wireName(), detail);
                }
            }
            long wait = known.gate() == null ? 0 : known.gate().ask(source);
            if (wait > 0) {
                meter.ended(false, 429, -1);
                Answers.tooMany(
                        stream,
                        head,
                        TimeUnit.NANOSECONDS.toSeconds(wait) + 1,
                        "rate-limit",
                        "the caller asks more often than the service allows");
                return new IgnoredRequest(stream);
            }
        }
        return send(known, head.with(target, identified(head.fields(), known.client())), end, stream, ended);
    }

    private static Verdict verdict(InForce known, RequestHead head, String target, String path) {
        Verdict always = known.rules().always();
        if (always != null) {
            return always;
        }
        RequestCall call = new RequestCall(head.with(target, head.fields()), path);
        return known.rules().judge(InboundCall.request(known.port(), call));
    }

    private StreamListener send(
            InForce known, RequestHead head, boolean end, ServerStream stream, HttpRelay.Ended ended) {
        return HttpRelay.start(
                upstreams,
                head,
                end,
                http2,
                stream,
                Attempt.Source.application(known.application()),
                plane.limits().connections().queueTimeoutInbound().toMillis(),
                ended,
                null);
    }

    /** The kubelet names itself so, over HTTP and gRPC. */
    private static boolean isKubelet(RequestHead head) {
        String agent = head.fields().first("user-agent");
        return agent != null && agent.startsWith("kube-probe/");
    }

    /** Fields by which some applications let a request name another method or path than its own. */
    private static boolean leadsElsewhere(String name) {
        return switch (name.replace('_', '-')) {
            case "x-http-method-override",
                    "x-http-method",
                    "x-method-override",
                    "x-original-url",
                    "x-original-uri",
                    "x-rewrite-url",
                    "x-forwarded-uri",
                    "x-forwarded-path",
                    "x-forwarded-prefix" -> true;
            default -> false;
        };
    }

    /** Takes away what the caller says of its identity and tells what was verified. */
    private static Fields identified(Fields fields, String client) {
        Fields plain = fields.without(IdentityFields::isIdentity);
        return client.isEmpty() ? plain : plain.and(IdentityFields.CLIENT_CERT, client);
    }

    private static StreamListener refuse(
            ServerStream stream, RequestHead head, int status, String reason, String sentence) {
        Answers.send(stream, head, status, reason, sentence);
        return new IgnoredRequest(stream);
    }
}
