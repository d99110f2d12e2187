package dev.tulle.controller.translate;

import static dev.tulle.controller.Fixtures.cluster;
import static dev.tulle.controller.Fixtures.header;
import static dev.tulle.controller.Fixtures.routes;
import static dev.tulle.controller.Fixtures.service;
import static dev.tulle.controller.Fixtures.split;
import static dev.tulle.controller.Fixtures.unready;
import static dev.tulle.controller.Fixtures.workload;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.controller.Fixtures.Part;
import dev.tulle.controller.assemble.MeshAssembler;
import dev.tulle.controller.model.Mesh;
import dev.tulle.proxy.model.Cluster;
import dev.tulle.proxy.model.Destination;
import dev.tulle.proxy.model.DestinationKey;
import dev.tulle.proxy.model.Endpoint;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.HttpMatch;
import dev.tulle.proxy.model.Route;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.WeightedCluster;
import dev.tulle.proxy.model.WorkloadId;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class ProxyConfigsTest {
    private static final WorkloadId VIEWER = new WorkloadId("shop", "web-1");

    private static Mesh mesh(Part... parts) {
        return MeshAssembler.assemble(cluster(parts)).mesh();
    }

    private static Destination.Service destination(Mesh mesh, String service) {
        DestinationKey key = new DestinationKey.ServicePort("shop", service, 80);
        return (Destination.Service) ProxyConfigs.destination(mesh, VIEWER, key);
    }

    private static List<String> workloads(Destination.Service destination, String cluster) {
        return destination.clusters().stream()
                .filter(candidate -> candidate.name().equals(cluster))
                .map(Cluster::endpoints)
                .flatMap(List::stream)
                .map(Endpoint::workload)
                .toList();
    }

    @Test
    void aServiceWithoutSplitIsOneRouteToItself() {
        Mesh mesh = mesh(service("db"), workload("db-1").address("10.0.0.1").serviceAccount("data"));

        Destination.Service db = destination(mesh, "db");

        assertThat(db.routes())
                .containsExactly(new Route("", Optional.empty(), List.of(new WeightedCluster("shop/db", 1))));
        assertThat(db.clusters())
                .containsExactly(new Cluster(
                        "shop/db",
                        List.of(new Endpoint(
                                new HostPort("10.0.0.1", 80),
                                "shop/db-1",
                                Optional.of(new SpiffeId("cluster.local", "shop", "data")),
                                ""))));
    }

    @Test
    void requestsThatNoMatchTakesGoToTheRoot() {
        Mesh mesh = mesh(
                service("shop"),
                service("shop-v2"),
                workload("shop-1"),
                workload("shop-v2-1"),
                split("shop").matching("phones").to("shop-v2", 1),
                routes("phones", header("iphone", "user-agent", ".*iPhone.*")));

        Destination.Service shop = destination(mesh, "shop");

        assertThat(shop.routes()).extracting(Route::name).containsExactly("shop/shop", "");
        assertThat(shop.routes().getLast().clusters()).containsExactly(new WeightedCluster("shop/shop", 1));
        assertThat(shop.clusters()).extracting(Cluster::name).containsExactly("shop/shop", "shop/shop-v2");
    }

    @Test
    void endpointsThatAreNotReadyGetNothingWhileOthersAre() {
        Mesh mesh = mesh(service("db"), workload("db-1"), workload("db-2"), unready("db-1"));

        assertThat(workloads(destination(mesh, "db"), "shop/db")).containsExactly("shop/db-2");
    }

    @Test
    void endpointsStayWhenNoneIsReady() {
        Mesh mesh = mesh(service("db"), workload("db-1"), workload("db-2"), unready("db-1"), unready("db-2"));

        assertThat(workloads(destination(mesh, "db"), "shop/db")).containsExactlyInAnyOrder("shop/db-1", "shop/db-2");
    }

    @Test
    void aBackendWithNothingReadyLeavesItsShareToTheOthers() {
        Mesh mesh = mesh(
                service("shop"),
                service("shop-v1"),
                service("shop-v2"),
                workload("shop-v1-1"),
                workload("shop-v2-1"),
                split("shop").to("shop-v1", 50).to("shop-v2", 50),
                unready("shop-v2-1"));

        Destination.Service shop = destination(mesh, "shop");

        assertThat(shop.routes().getFirst().clusters())
                .containsExactly(new WeightedCluster("shop/shop-v1", 50), new WeightedCluster("shop/shop-v2", 50));
        assertThat(workloads(shop, "shop/shop-v1")).hasSize(1);
        assertThat(workloads(shop, "shop/shop-v2")).isEmpty();
    }

    @Test
    void backendsStayWhenNoneOfThemIsReady() {
        Mesh mesh = mesh(
                service("shop"),
                service("shop-v1"),
                service("shop-v2"),
                workload("shop-v1-1"),
                workload("shop-v2-1"),
                split("shop").to("shop-v1", 50).to("shop-v2", 0),
                unready("shop-v1-1"));

        assertThat(workloads(destination(mesh, "shop"), "shop/shop-v1")).hasSize(1);
    }

    @Test
    void aServiceOrPortThatIsNotThereHasNoClusters() {
        Mesh mesh = mesh(service("db").port(90), workload("web-1"));

        assertThat(destination(mesh, "gone").clusters()).isEmpty();
        assertThat(destination(mesh, "db").routes()).containsExactly(new Route("", Optional.empty(), List.of()));
    }

    @Test
    void aClusterAddressLeadsToItsServiceAndAnyOtherOutOfTheMesh() {
        Mesh mesh = mesh(service("db").address("10.96.0.1"), workload("db-1"));

        DestinationKey known = new DestinationKey.Address(new HostPort("10.96.0.1", 80));
        DestinationKey unknown = new DestinationKey.Address(new HostPort("10.96.0.2", 80));

        assertThat(ProxyConfigs.destination(mesh, VIEWER, known))
                .isInstanceOfSatisfying(Destination.Service.class, service -> {
                    assertThat(service.key()).isEqualTo(known);
                    assertThat(service.service()).isEqualTo("shop/db");
                });
        assertThat(ProxyConfigs.destination(mesh, VIEWER, unknown)).isEqualTo(new Destination.NotInMesh(unknown));
    }

    @Test
    void aPodBehindAHeadlessServiceIsSplitForThoseWhoNameTheService() {
        Mesh mesh = mesh(
                service("set"),
                service("set-v2").address("10.96.0.2"),
                workload("set-1").address("10.0.0.1").pod(),
                workload("set-2").address("10.0.0.2").pod(),
                workload("set-v2-1").address("10.0.0.3").pod(),
                split("set").to("set-v2", 3).to("set", 1));

        Destination.Service pod = (Destination.Service)
                ProxyConfigs.destination(mesh, VIEWER, new DestinationKey.Address(new HostPort("10.0.0.1", 80)));

        assertThat(pod.routes()).extracting(Route::name).containsExactly("shop/set", "");
        assertThat(pod.routes().getFirst().clusters())
                .containsExactly(new WeightedCluster("shop/set-v2", 3), new WeightedCluster("shop/set", 1));
        assertThat(workloads(pod, "shop/set-v2")).containsExactly("shop/set-v2-1");
        assertThat(workloads(pod, "shop/set"))
                .as("the pod that is called, no other of the set")
                .containsExactly("shop/set-1");
        List<HttpMatch> matches = pod.routes().getFirst().matches().orElseThrow();
        assertThat(matches).hasSize(1);
        assertThat(matches.getFirst().headers()).hasSize(1);
        Pattern names = Pattern.compile(matches.getFirst().headers().getFirst().regex());
        assertThat(List.of("set", "SET:80", "set.shop", "set.shop.svc", "set.shop.svc.cluster.local.:80"))
                .allMatch(host -> names.matcher(host).matches());
        assertThat(List.of(
                        "set-1.set",
                        "set-1.set.shop.svc.cluster.local",
                        "10.0.0.1:80",
                        "set.other",
                        "set2",
                        "set.shopping"))
                .noneMatch(host -> names.matcher(host).matches());
    }

    @Test
    void aPodOfAHeadlessServiceWithoutASplitIsItself() {
        Mesh mesh = mesh(service("set"), workload("set-1").address("10.0.0.1").pod());

        Destination.Service pod = (Destination.Service)
                ProxyConfigs.destination(mesh, VIEWER, new DestinationKey.Address(new HostPort("10.0.0.1", 80)));

        assertThat(pod.routes())
                .containsExactly(new Route("", Optional.empty(), List.of(new WeightedCluster("shop/set", 1))));
        assertThat(workloads(pod, "shop/set")).containsExactly("shop/set-1");
    }

    @Test
    void aWorkloadThatIsNotThereHasNoConfig() {
        assertThat(ProxyConfigs.workloadConfig(mesh(), VIEWER)).isEmpty();
    }
}
