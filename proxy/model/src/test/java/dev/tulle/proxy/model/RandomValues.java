package dev.tulle.proxy.model;

import dev.tulle.proxy.model.HttpMatch.HeaderPattern;
import dev.tulle.proxy.model.HttpMatch.PathPattern;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/** Random values of the contract, from few words, so that they often meet. */
public final class RandomValues {
    private static final List<String> WORDS = List.of("a", "web", "x-1", "long.name");
    private static final List<String> TEXTS = List.of("", "plain", "ümlaut ☂", "\"quoted\"\n\t\\", "\u0000\u2028");

    private final RandomGenerator random;

    public RandomValues(RandomGenerator random) {
        this.random = random;
    }

    ProxyConfig proxyConfig() {
        List<Destination> destinations = new ArrayList<>();
        for (int port = 1; port <= random.nextInt(4); port++) {
            destinations.add(destination(port));
        }
        return new ProxyConfig(
                random.nextLong(Long.MAX_VALUE),
                workloadConfig(),
                destinations,
                new TrustBundle(word(), list(3, this::text), text()));
    }

    private WorkloadConfig workloadConfig() {
        return new WorkloadConfig(
                new WorkloadId(word(), word()),
                text(),
                spiffeId(),
                list(3, this::inboundPort),
                list(2, () -> new OutboundListener(hostPort(), key(port()))),
                policy(),
                list(2, this::text),
                optional(() -> new WorkloadConfig.HealthCheck(hostPort(), text(), 100 + random.nextInt(1000))),
                text(),
                list(2, this::probe),
                list(2, this::port));
    }

    private WorkloadConfig.Probe probe() {
        return random.nextBoolean()
                ? new WorkloadConfig.Probe(port(), WorkloadConfig.Probe.Kind.HTTP, "/" + text())
                : new WorkloadConfig.Probe(port(), WorkloadConfig.Probe.Kind.GRPC, "");
    }

    private Destination destination(int port) {
        if (random.nextInt(4) == 0) {
            return new Destination.NotInMesh(key(port));
        }
        List<Cluster> clusters = List.of(new Cluster("a", list(3, this::endpoint)), new Cluster("b", List.of()));
        return new Destination.Service(
                key(port),
                text(),
                one(Protocol.values()),
                list(3, () -> new Route(text(), optional(() -> list(2, this::match)), list(2, this::weighted))),
                clusters,
                random.nextBoolean() ? Resilience.NONE : resilience());
    }

    private Resilience resilience() {
        return new Resilience(
                new Resilience.Timeouts(random.nextInt(2), random.nextInt(2000), random.nextInt(2)),
                optional(() -> new Resilience.Retries(
                        1 + random.nextInt(10),
                        Set.copyOf(list(4, () -> one(Resilience.RetryOn.values()))),
                        list(2, () -> one("POST", "PATCH")))),
                optional(() -> new Resilience.Ejection(1 + random.nextInt(9), 100 + random.nextInt(900))),
                new Resilience.Capacity(random.nextInt(2), random.nextInt(2), random.nextInt(9)),
                list(2, this::fault),
                random.nextBoolean());
    }

    private Resilience.Fault fault() {
        int perMillion = 1 + random.nextInt(1_000_000);
        long until = random.nextLong(Long.MAX_VALUE);
        return random.nextBoolean()
                ? new Resilience.Fault.Abort(200 + random.nextInt(400), perMillion, until)
                : new Resilience.Fault.Delay(1 + random.nextInt(60_000), perMillion, until);
    }

    private WeightedCluster weighted() {
        return new WeightedCluster(random.nextBoolean() ? "a" : "b", random.nextLong(WeightedCluster.MAX_WEIGHT + 1));
    }

    private Endpoint endpoint() {
        return new Endpoint(hostPort(), text(), optional(this::spiffeId), text());
    }

    private DestinationKey key(int port) {
        return random.nextBoolean()
                ? new DestinationKey.Address(new HostPort(random.nextBoolean() ? "::1" : "10.0.0.1", port))
                : new DestinationKey.ServicePort(word(), word(), port);
    }

    private InboundPort inboundPort() {
        return new InboundPort(
                text(),
                port(),
                list(2, this::port),
                one(Protocol.values()),
                optional(this::hostPort),
                hostPort(),
                optional(() -> new RateLimit(1 + random.nextInt(9), 1000, 1 + random.nextInt(9))));
    }

    /** A policy over few identities, ports, paths and headers. */
    public InboundPolicy policy() {
        return new InboundPolicy(
                one(InboundPolicy.Access.values()),
                one(InboundPolicy.Unmeshed.values()),
                random.nextBoolean(),
                list(4, this::grant));
    }

    private Grant grant() {
        return new Grant(
                "ns/" + word(),
                list(3, this::spiffeId),
                optional(() -> list(2, this::port)),
                optional(() -> list(3, this::match)));
    }

    private HttpMatch match() {
        return new HttpMatch(
                "group/" + word(),
                optional(() -> new PathPattern(
                        one("/a", "/a/.*", ".*", "^/b$", "/[ab]+", "(", "", "/a|/b"), random.nextBoolean())),
                list(2, () -> one("GET", "POST", "get")),
                list(2, () -> new HeaderPattern(one("host", "x-user"), one(".*", "a", "^a.*$", "[", "b+"))));
    }

    /** One of few identities. */
    public SpiffeId spiffeId() {
        return new SpiffeId("cluster.local", one("a", "b"), one("a", "b"));
    }

    /** One of few ports. */
    public int port() {
        return 1 + random.nextInt(4);
    }

    private HostPort hostPort() {
        return new HostPort(one("127.0.0.1", "fd00::1", "host.example"), random.nextInt(65536));
    }

    private String word() {
        return WORDS.get(random.nextInt(WORDS.size()));
    }

    private String text() {
        return TEXTS.get(random.nextInt(TEXTS.size()));
    }

    @SafeVarargs
    public final <T> T one(T... choices) {
        return choices[random.nextInt(choices.length)];
    }

    public <T> List<T> list(int longest, Supplier<T> element) {
        List<T> list = new ArrayList<>();
        for (int i = random.nextInt(longest + 1); i > 0; i--) {
            list.add(element.get());
        }
        return list;
    }

    private <T> Optional<T> optional(Supplier<T> value) {
        return random.nextBoolean() ? Optional.of(value.get()) : Optional.empty();
    }
}
