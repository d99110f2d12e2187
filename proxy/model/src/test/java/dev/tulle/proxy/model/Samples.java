package dev.tulle.proxy.model;

import dev.tulle.proxy.model.HttpMatch.HeaderPattern;
import dev.tulle.proxy.model.HttpMatch.PathPattern;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** One value of each message, with every field and every case of a field in it. */
final class Samples {
    static final SpiffeId REVIEWS = new SpiffeId("cluster.local", "shop", "reviews");
    static final SpiffeId WEB = new SpiffeId("cluster.local", "shop", "web");
    static final WorkloadId WORKLOAD = new WorkloadId("shop", "reviews-v2-1");
    static final DestinationKey RATINGS = new DestinationKey.ServicePort("shop", "ratings", 9080);

    static final TrustBundle TRUST = new TrustBundle(
            "cluster.local",
            List.of(
                    "-----BEGIN CERTIFICATE-----\nold\n-----END CERTIFICATE-----\n",
                    "-----BEGIN CERTIFICATE-----\nnew\n-----END CERTIFICATE-----\n"),
            "0a1b");

    static final HttpMatch READING = new HttpMatch(
            "reviews/read",
            Optional.of(new PathPattern("/reviews/.*", true)),
            List.of("GET", "HEAD"),
            List.of(new HeaderPattern("User-Agent", ".*iPhone.*")));
    static final HttpMatch ANYTHING = new HttpMatch("reviews/any", Optional.empty(), List.of(), List.of());

    static final InboundPolicy POLICY = new InboundPolicy(
            InboundPolicy.Access.CLOSED,
            InboundPolicy.Unmeshed.ALLOW,
            true,
            List.of(
                    new Grant("shop/everything", List.of(WEB), Optional.empty(), Optional.empty()),
                    new Grant(
                            "shop/reading",
                            List.of(WEB, REVIEWS),
                            Optional.of(List.of(80, 9080)),
                            Optional.of(List.of(READING, ANYTHING))),
                    new Grant("shop/nothing", List.of(), Optional.of(List.of()), Optional.of(List.of()))));

    static final WorkloadConfig CONFIG = new WorkloadConfig(
            WORKLOAD,
            "reviews-v2",
            REVIEWS,
            List.of(
                    new InboundPort(
                            "http",
                            9080,
                            List.of(80, 8080),
                            Protocol.HTTP,
                            Optional.of(new HostPort("127.0.0.1", 20080)),
                            new HostPort("127.0.0.1", 19080),
                            Optional.of(new RateLimit(100, 1000, 200))),
                    new InboundPort("", 9090, List.of(), Protocol.DETECT, Optional.empty(), new HostPort("::1", 9090))),
            List.of(new OutboundListener(new HostPort("127.0.0.1", 21080), RATINGS)),
            POLICY,
            List.of("10.0.0.0/8", "fd00::/8"),
            Optional.of(new WorkloadConfig.HealthCheck(new HostPort("127.0.0.1", 19080), "/healthz", 1000)),
            "zone-a",
            List.of(
                    new WorkloadConfig.Probe(9080, WorkloadConfig.Probe.Kind.HTTP, "/healthz?full=1"),
                    new WorkloadConfig.Probe(9090, WorkloadConfig.Probe.Kind.GRPC, "")),
            List.of(6379));

    static final Resilience RESILIENCE = new Resilience(
            new Resilience.Timeouts(2000, 500, 60_000),
            Optional.of(new Resilience.Retries(3, Set.of(Resilience.RetryOn.values()), List.of("PATCH", "POST"))),
            Optional.of(new Resilience.Ejection(5, 10_000)),
            new Resilience.Capacity(100, 10, 50),
            List.of(
                    new Resilience.Fault.Abort(503, 100_000, 1_796_083_200_000L),
                    new Resilience.Fault.Delay(200, 1, 1_796_083_200_000L)),
            true);

    static final Destination SERVICE = new Destination.Service(
            RATINGS,
            "shop/ratings",
            Protocol.GRPC,
            List.of(
                    new Route(
                            "shop/iphones",
                            Optional.of(List.of(READING)),
                            List.of(new WeightedCluster("shop/ratings-v2", 1))),
                    new Route(
                            "",
                            Optional.empty(),
                            List.of(
                                    new WeightedCluster("shop/ratings-v1", WeightedCluster.MAX_WEIGHT),
                                    new WeightedCluster("shop/ratings-v2", 0)))),
            List.of(
                    new Cluster(
                            "shop/ratings-v1",
                            List.of(
                                    new Endpoint(
                                            new HostPort("10.0.0.1", 20080),
                                            "shop/ratings-v1-1",
                                            Optional.of(new SpiffeId("cluster.local", "shop", "ratings")),
                                            "zone-a"),
                                    new Endpoint(new HostPort("10.0.0.2", 9080), "", Optional.empty(), ""))),
                    new Cluster("shop/ratings-v2", List.of())),
            RESILIENCE);

    static final Destination OUTSIDE =
            new Destination.NotInMesh(new DestinationKey.Address(new HostPort("93.184.216.34", 443)));

    static final ProxyConfig PROXY_CONFIG = new ProxyConfig(7, CONFIG, List.of(SERVICE, OUTSIDE), TRUST);

    static final Report REPORT = new Report(
            List.of(
                    new Report.Edge(
                            Report.Direction.INBOUND,
                            WEB.uri(),
                            "",
                            "9080",
                            true,
                            true,
                            5,
                            1,
                            2,
                            List.of(0L, 4L, 42L, 1L)),
                    new Report.Edge(
                            Report.Direction.OUTBOUND,
                            "",
                            "shop/ratings",
                            "shop/ratings-v1",
                            false,
                            false,
                            0,
                            0,
                            0,
                            List.of())),
            List.of(new Report.Denial(
                    1_700_000_000_123L,
                    WEB.uri(),
                    9080,
                    "POST",
                    "/reviews",
                    "no-route",
                    "no TrafficTarget lets it: \"look\"\nthere",
                    false)),
            List.of(new Report.Act("shop/ratings", "ejection", 2, 1)),
            3,
            1_700_086_400L,
            "0a1b");

    static final Enrollment ENROLLMENT = new Enrollment(WORKLOAD, REVIEWS, "leaf\nissuer\n", TRUST);

    static final JoinTokenPayload JOIN = new JoinTokenPayload(WORKLOAD, Instant.ofEpochSecond(1_700_003_600L), TRUST);

    private Samples() {}
}
