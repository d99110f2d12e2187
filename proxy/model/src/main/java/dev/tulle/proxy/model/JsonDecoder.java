package dev.tulle.proxy.model;

import java.time.DateTimeException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Reads each value of the contract from JSON.
 *
 * <p>What may be left out has a default that gives no one more; rules and matches refuse what they do not know.
 */
final class JsonDecoder {
    private JsonDecoder() {}

    static Optional<ToProxy> toProxy(JsonObject json) throws MalformedMessage {
        return switch (json.string("type")) {
            case "workload" ->
                Optional.of(new ToProxy.Workload(version(json), json.object("config", JsonDecoder::workloadConfig)));
            case "watched" ->
                Optional.of(new ToProxy.Watched(version(json), json.object("destination", JsonDecoder::destination)));
            case "trust" ->
                Optional.of(new ToProxy.Trust(version(json), json.object("bundle", JsonDecoder::trustBundle)));
            default -> Optional.empty();
        };
    }

    static Optional<ToController> toController(JsonObject json) throws MalformedMessage {
        return switch (json.string("type")) {
            case "hello" ->
                Optional.of(new ToController.Hello(
                        json.parsed("workload", WorkloadId::parse),
                        json.string("instance"),
                        json.stringOr("proxyVersion", ""),
                        json.integer("protocol"),
                        json.number("held")));
            case "watch" -> Optional.of(new ToController.Watch(json.parsed("destination", DestinationKey::parse)));
            case "unwatch" -> Optional.of(new ToController.Unwatch(json.parsed("destination", DestinationKey::parse)));
            case "ack" -> Optional.of(new ToController.Ack(version(json)));
            case "nack" -> Optional.of(new ToController.Nack(version(json), json.stringOr("error", "")));
            case "health" -> Optional.of(new ToController.Health(json.flag("ready"), json.stringOr("detail", "")));
            case "reported" -> Optional.of(new ToController.Reported(json.object("report", JsonDecoder::report)));
            default -> Optional.empty();
        };
    }

    static ProxyConfig proxyConfig(JsonObject json) throws MalformedMessage {
        return new ProxyConfig(
                version(json),
                json.object("workload", JsonDecoder::workloadConfig),
                json.objects("destinations", JsonDecoder::destination),
                json.object("trust", JsonDecoder::trustBundle));
    }

    static Enrollment enrollment(JsonObject json) throws MalformedMessage {
        return new Enrollment(
                json.parsed("workload", WorkloadId::parse),
                json.parsed("identity", JsonDecoder::spiffeId),
                json.string("chain"),
                json.object("trust", JsonDecoder::trustBundle));
    }

    static JoinTokenPayload joinTokenPayload(JsonObject json) throws MalformedMessage {
        Instant expires;
        try {
            expires = Instant.ofEpochSecond(json.number("exp"));
        } catch (DateTimeException e) {
            throw new MalformedMessage(json.at("exp"), "not a time");
        }
        return new JoinTokenPayload(
                json.parsed("workload", WorkloadId::parse), expires, json.object("trust", JsonDecoder::trustBundle));
    }

    private static long version(JsonObject json) throws MalformedMessage {
        long version = json.number("version");
        if (version < 0) {
            throw new MalformedMessage(json.at("version"), "less than 0: " + version);
        }
        return version;
    }

    private static WorkloadConfig workloadConfig(JsonObject json) throws MalformedMessage {
        return new WorkloadConfig(
                json.parsed("workload", WorkloadId::parse),
                json.string("owner"),
                json.parsed("identity", JsonDecoder::spiffeId),
                json.has("inbound") ? json.objects("inbound", JsonDecoder::inboundPort) : List.of(),
                json.has("outbound") ? json.objects("outbound", JsonDecoder::outboundListener) : List.of(),
                json.object("policy", JsonDecoder::inboundPolicy),
                json.strings("meshNetworks"),
                json.has("healthCheck") ? json.objectOrNull("healthCheck", JsonDecoder::healthCheck) : Optional.empty(),
                json.stringOr("zone", ""),
                json.has("probes")
                        ? json.objects("probes", JsonDecoder::probe).stream()
                                .flatMap(Optional::stream)
                                .toList()
                        : List.of(),
                json.has("opaquePorts") ? json.ports("opaquePorts") : List.of());
    }

    /** A kind of probe that this version does not know is not let in; a condition it does not know must not be passed over. */
    private static Optional<WorkloadConfig.Probe> probe(JsonObject json) throws MalformedMessage {
        int port = json.integer("port");
        String kind = json.string("kind");
        String path = json.string("path");
        for (WorkloadConfig.Probe.Kind known : WorkloadConfig.Probe.Kind.values()) {
            if (known.wireName().equals(kind)) {
                WorkloadConfig.Probe probe = new WorkloadConfig.Probe(port, known, path);
                json.refuseUnread();
                return Optional.of(probe);
            }
        }
        return Optional.empty();
    }

    private static InboundPort inboundPort(JsonObject json) throws MalformedMessage {
        return new InboundPort(
                json.stringOr("name", ""),
                json.integer("port"),
                json.has("servicePorts") ? json.ports("servicePorts") : List.of(),
                protocol(json),
                json.has("listen") ? json.parsedOrNull("listen", HostPort::parse) : Optional.empty(),
                json.parsed("application", HostPort::parse),
                json.has("rateLimit") ? json.objectOrNull("rateLimit", JsonDecoder::rateLimit) : Optional.empty());
    }

    private static RateLimit rateLimit(JsonObject json) throws MalformedMessage {
        return new RateLimit(json.integer("requests"), json.number("perMillis"), json.integer("burst"));
    }

    private static OutboundListener outboundListener(JsonObject json) throws MalformedMessage {
        return new OutboundListener(
                json.parsed("listen", HostPort::parse), json.parsed("destination", DestinationKey::parse));
    }

    private static WorkloadConfig.HealthCheck healthCheck(JsonObject json) throws MalformedMessage {
        return new WorkloadConfig.HealthCheck(
                json.parsed("address", HostPort::parse), json.stringOr("path", ""), json.integer("intervalMillis"));
    }

    private static InboundPolicy inboundPolicy(JsonObject json) throws MalformedMessage {
        InboundPolicy policy = new InboundPolicy(
                json.word("access", InboundPolicy.Access.class),
                json.word("unmeshed", InboundPolicy.Unmeshed.class),
                json.flag("sameIdentity"),
                json.objects("grants", JsonDecoder::grant));
        json.refuseUnread();
        return policy;
    }

    private static Grant grant(JsonObject json) throws MalformedMessage {
        List<SpiffeId> sources = json.parsedList("sources", JsonDecoder::spiffeId);
        Optional<List<Integer>> ports = json.isNull("ports") ? Optional.empty() : Optional.of(json.ports("ports"));
        Grant grant =
                new Grant(json.string("target"), sources, ports, json.objectsOrNull("routes", JsonDecoder::httpMatch));
        json.refuseUnread();
        return grant;
    }

    private static HttpMatch httpMatch(JsonObject json) throws MalformedMessage {
        HttpMatch match = new HttpMatch(
                json.string("name"),
                json.objectOrNull("path", JsonDecoder::pathPattern),
                json.strings("methods"),
                json.objects("headers", JsonDecoder::headerPattern));
        json.refuseUnread();
        return match;
    }

    private static HttpMatch.PathPattern pathPattern(JsonObject json) throws MalformedMessage {
        HttpMatch.PathPattern pattern = new HttpMatch.PathPattern(json.string("regex"), json.flag("full"));
        json.refuseUnread();
        return pattern;
    }

    private static HttpMatch.HeaderPattern headerPattern(JsonObject json) throws MalformedMessage {
        HttpMatch.HeaderPattern pattern = new HttpMatch.HeaderPattern(json.string("name"), json.string("regex"));
        json.refuseUnread();
        return pattern;
    }

    private static Destination destination(JsonObject json) throws MalformedMessage {
        DestinationKey key = json.parsed("key", DestinationKey::parse);
        String kind = json.string("kind");
        return switch (kind) {
            case "service" ->
                new Destination.Service(
                        key,
                        json.string("service"),
                        protocol(json),
                        json.objects("routes", JsonDecoder::route),
                        json.objects("clusters", JsonDecoder::cluster),
                        json.has("resilience") ? json.object("resilience", JsonDecoder::resilience) : Resilience.NONE);
            case "notinmesh" -> new Destination.NotInMesh(key);
            default ->
                throw new MalformedMessage(json.at("kind"), "not one of service, notinmesh: '%s'".formatted(kind));
        };
    }

    private static Resilience resilience(JsonObject json) throws MalformedMessage {
        return new Resilience(
                json.has("timeouts") ? json.object("timeouts", JsonDecoder::timeouts) : Resilience.Timeouts.NONE,
                json.has("retries") ? json.objectOrNull("retries", JsonDecoder::retries) : Optional.empty(),
                json.has("ejection") ? json.objectOrNull("ejection", JsonDecoder::ejection) : Optional.empty(),
                json.has("capacity") ? json.object("capacity", JsonDecoder::capacity) : Resilience.Capacity.UNLIMITED,
                json.has("faults")
                        ? json.objects("faults", JsonDecoder::fault).stream()
                                .flatMap(Optional::stream)
                                .toList()
                        : List.of(),
                json.has("ownZoneFirst") && json.flag("ownZoneFirst"));
    }

    private static Resilience.Timeouts timeouts(JsonObject json) throws MalformedMessage {
        return new Resilience.Timeouts(
                json.numberOr("totalMillis", 0), json.numberOr("perTryMillis", 0), json.numberOr("idleMillis", 0));
    }

    /** A reason to try again that this version does not know is none. */
    private static Resilience.Retries retries(JsonObject json) throws MalformedMessage {
        return new Resilience.Retries(
                json.integer("most"),
                json.strings("on").stream()
                        .map(Resilience.RetryOn::ofWireName)
                        .flatMap(Optional::stream)
                        .collect(Collectors.toSet()),
                json.strings("methods"));
    }

    private static Resilience.Ejection ejection(JsonObject json) throws MalformedMessage {
        return new Resilience.Ejection(json.integer("after"), json.number("forMillis"));
    }

    private static Resilience.Capacity capacity(JsonObject json) throws MalformedMessage {
        return new Resilience.Capacity(
                json.integerOr("maxConnections", 0), json.integerOr("maxPending", 0), json.integerOr("maxRequests", 0));
    }

    /** A fault that this version does not know does not happen. */
    private static Optional<Resilience.Fault> fault(JsonObject json) throws MalformedMessage {
        int perMillion = json.integer("perMillion");
        long until = json.number("untilMillis");
        return switch (json.string("kind")) {
            case "abort" -> Optional.of(new Resilience.Fault.Abort(json.integer("status"), perMillion, until));
            case "delay" -> Optional.of(new Resilience.Fault.Delay(json.number("millis"), perMillion, until));
            default -> Optional.empty();
        };
    }

    private static Route route(JsonObject json) throws MalformedMessage {
        return new Route(
                json.string("name"),
                json.objectsOrNull("matches", JsonDecoder::httpMatch),
                json.objects("clusters", JsonDecoder::weightedCluster));
    }

    private static WeightedCluster weightedCluster(JsonObject json) throws MalformedMessage {
        return new WeightedCluster(json.string("cluster"), json.number("weight"));
    }

    private static Cluster cluster(JsonObject json) throws MalformedMessage {
        return new Cluster(json.string("name"), json.objects("endpoints", JsonDecoder::endpoint));
    }

    private static Endpoint endpoint(JsonObject json) throws MalformedMessage {
        return new Endpoint(
                json.parsed("address", HostPort::parse),
                json.stringOr("workload", ""),
                json.parsedOrNull("identity", JsonDecoder::spiffeId),
                json.stringOr("zone", ""));
    }

    static TrustBundle trustBundle(JsonObject json) throws MalformedMessage {
        return new TrustBundle(json.string("trustDomain"), json.strings("anchors"), json.stringOr("issuer", ""));
    }

    private static Report report(JsonObject json) throws MalformedMessage {
        return new Report(
                json.objects("edges", JsonDecoder::edge),
                json.objects("denials", JsonDecoder::denial),
                json.has("acts") ? json.objects("acts", JsonDecoder::act) : List.of(),
                json.number("connections"),
                json.number("certificateExpiry"),
                json.stringOr("issuer", ""));
    }

    private static Report.Edge edge(JsonObject json) throws MalformedMessage {
        return new Report.Edge(
                json.word("direction", Report.Direction.class),
                json.string("peer"),
                json.string("service"),
                json.string("backend"),
                json.flag("http"),
                json.flag("mtls"),
                json.number("requests"),
                json.number("failures"),
                json.number("denied"),
                json.numbers("latency"));
    }

    private static Report.Act act(JsonObject json) throws MalformedMessage {
        return new Report.Act(
                json.string("service"), json.string("what"), json.number("count"), json.numberOr("now", 0));
    }

    private static Report.Denial denial(JsonObject json) throws MalformedMessage {
        return new Report.Denial(
                json.number("at"),
                json.string("peer"),
                json.integer("port"),
                json.string("method"),
                json.string("path"),
                json.string("reason"),
                json.string("detail"),
                json.flag("audited"));
    }

    private static Protocol protocol(JsonObject json) throws MalformedMessage {
        return json.has("protocol") ? json.word("protocol", Protocol.class) : Protocol.DETECT;
    }

    private static SpiffeId spiffeId(String uri) {
        return SpiffeId.parse(uri)
                .orElseThrow(() -> new IllegalArgumentException("not an identity of the mesh: '%s'".formatted(uri)));
    }
}
