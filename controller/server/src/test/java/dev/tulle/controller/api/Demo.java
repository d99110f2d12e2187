package dev.tulle.controller.api;

import dev.tulle.controller.Shop;
import dev.tulle.controller.api.Controller.Progress;
import dev.tulle.controller.assemble.Assembled;
import dev.tulle.controller.assemble.MeshAssembler;
import dev.tulle.controller.discovery.ProxyRegistry;
import dev.tulle.controller.discovery.Publisher;
import dev.tulle.controller.discovery.Refusals;
import dev.tulle.controller.discovery.StreamCounters;
import dev.tulle.controller.identity.Authorities;
import dev.tulle.controller.identity.UnusableState;
import dev.tulle.controller.report.TrafficWindow;
import dev.tulle.proxy.model.LatencyBuckets;
import dev.tulle.proxy.model.Report;
import dev.tulle.proxy.model.Report.Direction;
import dev.tulle.proxy.model.WorkloadId;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/** The shop with a minute of traffic, without proxies: web calls catalog, a thief is refused, somebody calls in plain text. */
final class Demo {
    static final String WEB = "spiffe://cluster.local/ns/shop/sa/web";
    static final String CATALOG = "spiffe://cluster.local/ns/shop/sa/catalog";
    static final String REVIEWS = "spiffe://cluster.local/ns/shop/sa/reviews";
    static final String THIEF = "spiffe://cluster.local/ns/shop/sa/thief";

    private Demo() {}

    static Views views(Path directory, Clock clock) throws UnusableState {
        Assembled assembled = MeshAssembler.assemble(Shop.resources(directory.resolve("mesh")));
        ProxyRegistry registry = new ProxyRegistry();
        TrafficWindow traffic = new TrafficWindow(clock);
        report(traffic, Shop.WEB, outbound(CATALOG, "shop/catalog", "shop/catalog", 100, 0));
        report(
                traffic,
                Shop.CATALOG,
                inbound(WEB, true, 100, 0, 0),
                inbound("", false, 5, 0, 0),
                outbound(REVIEWS, "shop/reviews", "shop/reviews-v1", 90, 0),
                outbound(REVIEWS, "shop/reviews", "shop/reviews-v2", 10, 1));
        traffic.add(
                Shop.WEB,
                new Report(
                        List.of(),
                        List.of(),
                        List.of(
                                new Report.Act("shop/catalog", "timeout", 3, 0),
                                new Report.Act("shop/catalog", "ejection", 2, 1)),
                        0,
                        0,
                        ""));
        traffic.add(
                Shop.CATALOG,
                new Report(List.of(), List.of(), List.of(new Report.Act("9080", "rate-limit", 4, 0)), 0, 0, ""));
        traffic.add(
                Shop.REVIEWS_V1,
                new Report(
                        List.of(inbound(CATALOG, true, 90, 0, 0), inbound(THIEF, true, 0, 0, 7)),
                        List.of(new Report.Denial(
                                clock.instant().toEpochMilli(),
                                THIEF,
                                9080,
                                "GET",
                                "/secret",
                                "no-grant",
                                "no",
                                false)),
                        3,
                        0,
                        ""));
        Progress progress = new Progress(4, Optional.of(assembled), List.of(), new TreeSet<>(), 0.01, clock.instant());
        return new Views(new Controller(
                () -> progress,
                Authorities.open(directory.resolve("state"), clock),
                registry,
                new Publisher(registry),
                new Refusals(),
                new StreamCounters(),
                traffic,
                clock));
    }

    private static void report(TrafficWindow traffic, WorkloadId reporter, Report.Edge... edges) {
        traffic.add(reporter, new Report(List.of(edges), List.of(), 0, 0, ""));
    }

    private static Report.Edge outbound(String peer, String service, String backend, long requests, long failures) {
        return new Report.Edge(
                Direction.OUTBOUND, peer, service, backend, true, true, requests, failures, 0, latency(requests));
    }

    private static Report.Edge inbound(String peer, boolean mtls, long requests, long failures, long denied) {
        return new Report.Edge(
                Direction.INBOUND, peer, "", "9080", true, mtls, requests, failures, denied, latency(requests));
    }

    private static List<Long> latency(long requests) {
        return requests == 0 ? List.of() : List.of((long) LatencyBuckets.indexOf(5000), requests);
    }
}
