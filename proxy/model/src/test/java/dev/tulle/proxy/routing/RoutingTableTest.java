package dev.tulle.proxy.routing;

import static dev.tulle.proxy.match.Requests.request;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.proxy.model.Cluster;
import dev.tulle.proxy.model.Destination;
import dev.tulle.proxy.model.DestinationKey;
import dev.tulle.proxy.model.Endpoint;
import dev.tulle.proxy.model.Grant;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.HttpMatch;
import dev.tulle.proxy.model.InboundPolicy;
import dev.tulle.proxy.model.InboundPort;
import dev.tulle.proxy.model.Protocol;
import dev.tulle.proxy.model.ProxyConfig;
import dev.tulle.proxy.model.Route;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.TrustBundle;
import dev.tulle.proxy.model.WeightedCluster;
import dev.tulle.proxy.model.WorkloadConfig;
import dev.tulle.proxy.model.WorkloadId;
import dev.tulle.proxy.policy.Caller;
import dev.tulle.proxy.policy.InboundCall;
import dev.tulle.proxy.policy.Verdict;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RoutingTableTest {
    private static final DestinationKey KEY = new DestinationKey.ServicePort("shop", "reviews", 80);

    @Test
    void takesTheFirstRouteThatMatches() {
        DestinationTable table = destination(
                List.of(
                        route("iphones", path("/a/b"), to("v2", 1)),
                        route("a", path("/a"), to("v3", 1)),
                        route("plain", Optional.empty(), to("v1", 1)),
                        route("never", Optional.empty(), to("v2", 1))),
                ready("v1"),
                ready("v2"),
                ready("v3"));
        assertThat(table.routeFor(request("GET", "/a/b")).route().name()).isEqualTo("iphones");
        assertThat(table.routeFor(request("GET", "/a/c")).route().name()).isEqualTo("a");
        assertThat(table.routeFor(request("GET", "/c")).route().name()).isEqualTo("plain");
    }

    @Test
    void takesARouteWhenAnyOfItsMatchesHolds() {
        DestinationTable table = destination(
                List.of(
                        route("either", Optional.of(List.of(match("/a"), match("/b"))), to("v1", 1)),
                        route("none", Optional.of(List.of()), to("v1", 1)),
                        route("plain", Optional.empty(), to("v1", 1))),
                ready("v1"));
        assertThat(table.routeFor(request("GET", "/a")).route().name()).isEqualTo("either");
        assertThat(table.routeFor(request("GET", "/b")).route().name()).isEqualTo("either");
        assertThat(table.routeFor(request("GET", "/c")).route().name()).isEqualTo("plain");
    }

    @Test
    void givesOpaqueConnectionsTheRouteWithoutMatches() {
        DestinationTable table = destination(
                List.of(
                        route("all-http", Optional.of(List.of(match(".*"))), to("v2", 1)),
                        route("plain", Optional.empty(), to("v1", 1))),
                ready("v1"),
                ready("v2"));
        assertThat(table.tcpRoute().route().name()).isEqualTo("plain");
    }

    @Test
    void leavesOutClustersOfWeightZeroAndThoseWithoutEndpoints() {
        DestinationTable table = destination(
                List.of(route("split", Optional.empty(), to("v1", 0), to("v2", 30), to("empty", 50), to("v3", 20))),
                ready("v1"),
                ready("v2"),
                ready("v3"),
                new Cluster("empty", List.of()));
        RouteTable route = table.routeFor(request("GET", "/"));
        assertThat(route.clusters()).extracting(Cluster::name).containsExactly("v2", "v3");
        assertThat(route.weights()).containsExactly(30L, 20L);
    }

    @Test
    void hasNoClusterWhenAllWeightsAreZeroOrNoRouteMatchesOrNothingIsThere() {
        DestinationTable zero = destination(List.of(route("split", Optional.empty(), to("v1", 0))), ready("v1"));
        DestinationTable unmatched = destination(List.of(route("a", path("/a"), to("v1", 1))), ready("v1"));
        DestinationTable empty = destination(List.of());
        for (DestinationTable table : List.of(zero, unmatched, empty)) {
            assertThat(table.routeFor(request("GET", "/b")).clusters()).isEmpty();
            assertThat(table.tcpRoute().clusters()).isEmpty();
        }
    }

    @Test
    void findsADestinationByItsKeyAndNoOther() {
        RoutingTable table = RoutingTable.of(config(new Destination.NotInMesh(KEY)));
        assertThat(table.destination(DestinationKey.parse("svc:shop/reviews:80")))
                .hasValueSatisfying(found -> assertThat(found.destination()).isEqualTo(new Destination.NotInMesh(KEY)));
        assertThat(table.destination(DestinationKey.parse("svc:shop/reviews:81")))
                .isEmpty();
    }

    @Test
    void findsAnInboundPortByTheNumberThatRulesKnow() {
        RoutingTable table = RoutingTable.of(config(new Destination.NotInMesh(KEY)));
        assertThat(table.inboundPort(9080))
                .hasValueSatisfying(port -> assertThat(port.name()).isEqualTo("http"));
        assertThat(table.inboundPort(80)).isEmpty();
    }

    @Test
    void listsWhatCannotBeUsedOfRoutesAndRulesAndKeepsTheRest() {
        ProxyConfig config = config(service(
                List.of(
                        route("broken", Optional.of(List.of(match("/("), match("/b"))), to("v1", 1)),
                        route("plain", Optional.empty(), to("v1", 1))),
                ready("v1")));
        RoutingTable table = RoutingTable.of(config);
        assertThat(table.problems()).hasSize(3);
        assertThat(table.problems().get(0)).startsWith("shop/target: pathRegex '[' of match group/[ is not RE2 syntax");
        assertThat(table.problems().get(1)).startsWith("svc:shop/reviews:80: pathRegex '/(' of match group//(");
        assertThat(table.problems().get(2)).isEqualTo("shop/web-1: inbound port 9080 is there twice, the first counts");
        DestinationTable destination = table.destination(KEY).orElseThrow();
        assertThat(destination.routeFor(request("GET", "/b")).route().name()).isEqualTo("broken");
        assertThat(destination.routeFor(request("GET", "/(")).route().name()).isEqualTo("plain");
    }

    @Test
    void keepsTheTablesOfWhatDidNotChange() {
        List<Route> routes = List.of(
                route("broken", Optional.of(List.of(match("/("))), to("v1", 1)),
                route("plain", Optional.empty(), to("v1", 1)));
        RoutingTable before = RoutingTable.of(config(service(routes, ready("v1"))));
        RoutingTable same = RoutingTable.of(config(service(routes, ready("v1"))), before);
        RoutingTable changed = RoutingTable.of(config(service(routes, new Cluster("v1", List.of()))), same);
        assertThat(same.destination(KEY).orElseThrow())
                .isSameAs(before.destination(KEY).orElseThrow());
        assertThat(same.authorizer()).isSameAs(before.authorizer());
        assertThat(same.problems()).isEqualTo(before.problems()).hasSize(3);
        assertThat(changed.destination(KEY).orElseThrow().tcpRoute().clusters()).isEmpty();
    }

    @Test
    void takesNothingFromATableOfAnotherWorkload() {
        ProxyConfig config = config(new Destination.NotInMesh(KEY));
        WorkloadConfig old = config.workload();
        WorkloadConfig open = new WorkloadConfig(
                old.workload(),
                old.owner(),
                old.identity(),
                old.inbound(),
                old.outbound(),
                InboundPolicy.OPEN,
                old.meshNetworks(),
                old.healthCheck());
        RoutingTable closed = RoutingTable.of(config);
        RoutingTable opened = RoutingTable.of(new ProxyConfig(2, open, List.of(), config.trust()), closed);
        InboundCall call = InboundCall.connection(9080);
        assertThat(closed.authorizer().judge(Caller.UNMESHED, call)).isInstanceOf(Verdict.Deny.class);
        assertThat(opened.authorizer().judge(Caller.UNMESHED, call)).isInstanceOf(Verdict.Allow.class);
        assertThat(opened.destination(KEY)).isEmpty();
    }

    private static DestinationTable destination(List<Route> routes, Cluster... clusters) {
        DestinationTable table = DestinationTable.of(service(routes, clusters));
        assertThat(table.problems()).isEmpty();
        return table;
    }

    private static Destination service(List<Route> routes, Cluster... clusters) {
        return new Destination.Service(KEY, "shop/reviews", Protocol.HTTP, routes, List.of(clusters));
    }

    private static ProxyConfig config(Destination destination) {
        InboundPort port = new InboundPort(
                "http", 9080, List.of(80), Protocol.HTTP, Optional.empty(), new HostPort("127.0.0.1", 9080));
        InboundPort again = new InboundPort(
                "again", 9080, List.of(), Protocol.TCP, Optional.empty(), new HostPort("127.0.0.1", 9081));
        Grant grant = new Grant("shop/target", List.of(), Optional.empty(), Optional.of(List.of(match("["))));
        WorkloadConfig workload = new WorkloadConfig(
                new WorkloadId("shop", "web-1"),
                "web",
                new SpiffeId("cluster.local", "shop", "web"),
                List.of(port, again),
                List.of(),
                new InboundPolicy(InboundPolicy.Access.CLOSED, InboundPolicy.Unmeshed.DENY, false, List.of(grant)),
                List.of(),
                Optional.empty());
        return new ProxyConfig(1, workload, List.of(destination), new TrustBundle("cluster.local", List.of(), ""));
    }

    private static Route route(String name, Optional<List<HttpMatch>> matches, WeightedCluster... to) {
        return new Route(name, matches, List.of(to));
    }

    private static Optional<List<HttpMatch>> path(String regex) {
        return Optional.of(List.of(match(regex)));
    }

    private static HttpMatch match(String regex) {
        return new HttpMatch(
                "group/" + regex, Optional.of(new HttpMatch.PathPattern(regex, false)), List.of(), List.of());
    }

    private static WeightedCluster to(String cluster, long weight) {
        return new WeightedCluster(cluster, weight);
    }

    private static Cluster ready(String name) {
        return new Cluster(name, List.of(new Endpoint(new HostPort("10.0.0.1", 80), "", Optional.empty(), "")));
    }
}
