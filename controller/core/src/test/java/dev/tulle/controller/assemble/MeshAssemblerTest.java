package dev.tulle.controller.assemble;

import static dev.tulle.controller.Fixtures.cluster;
import static dev.tulle.controller.Fixtures.header;
import static dev.tulle.controller.Fixtures.namespace;
import static dev.tulle.controller.Fixtures.path;
import static dev.tulle.controller.Fixtures.routes;
import static dev.tulle.controller.Fixtures.service;
import static dev.tulle.controller.Fixtures.settings;
import static dev.tulle.controller.Fixtures.split;
import static dev.tulle.controller.Fixtures.target;
import static dev.tulle.controller.Fixtures.tcpRoute;
import static dev.tulle.controller.Fixtures.udpRoute;
import static dev.tulle.controller.Fixtures.unready;
import static dev.tulle.controller.Fixtures.workload;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.controller.Fixtures.Part;
import dev.tulle.controller.model.Backend;
import dev.tulle.controller.model.Service;
import dev.tulle.controller.model.ServiceEndpoint;
import dev.tulle.controller.model.ServiceName;
import dev.tulle.controller.model.ServicePort;
import dev.tulle.controller.model.Split;
import dev.tulle.controller.model.Workload;
import dev.tulle.controller.resources.Problem;
import dev.tulle.controller.resources.Problem.Severity;
import dev.tulle.controller.resources.ServiceResource.Target;
import dev.tulle.proxy.model.Grant;
import dev.tulle.proxy.model.HttpMatch;
import dev.tulle.proxy.model.InboundPolicy.Access;
import dev.tulle.proxy.model.InboundPolicy.Unmeshed;
import dev.tulle.proxy.model.InboundPort;
import dev.tulle.proxy.model.OutboundListener;
import dev.tulle.proxy.model.Protocol;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.WorkloadId;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class MeshAssemblerTest {
    private static final SpiffeId WEB = new SpiffeId("cluster.local", "shop", "web");

    private static Assembled assemble(Part... parts) {
        return MeshAssembler.assemble(cluster(parts));
    }

    private static Service serviceOf(Assembled assembled, String name) {
        return assembled.mesh().service(new ServiceName("shop", name)).orElseThrow();
    }

    private static ServicePort port(Assembled assembled, String service, int number) {
        return serviceOf(assembled, service).port(number).orElseThrow();
    }

    private static Workload workloadOf(Assembled assembled, String name) {
        return assembled.mesh().workload(new WorkloadId("shop", name)).orElseThrow();
    }

    private static List<String> messages(Assembled assembled) {
        return assembled.problems().stream().map(Problem::toString).toList();
    }

    private static Backend backend(String service, long weight) {
        return new Backend(new ServiceName("shop", service), weight);
    }

    @Nested
    class ServicesAndWorkloads {
        @Test
        void aServiceHasTheWorkloadsItsLabelsSelect() {
            Assembled assembled = assemble(service("web"), workload("web-1"), workload("web-2"), workload("other-1"));

            assertThat(port(assembled, "web", 80).endpoints())
                    .extracting(endpoint -> endpoint.workload().orElseThrow().name())
                    .containsExactlyInAnyOrder("web-1", "web-2");
            assertThat(assembled.problems()).isEmpty();
        }

        @Test
        void aServiceSelectingNothingIsToldAndHasNoEndpoints() {
            Assembled assembled = assemble(service("web"), service("shop").withoutSelector(), workload("other-1"));

            assertThat(port(assembled, "web", 80).endpoints()).isEmpty();
            assertThat(messages(assembled))
                    .containsExactly(
                            "Service shop/shop, spec.selector: selects nothing: it is empty"
                                    + " -> requests to it are answered with 503",
                            "Service shop/web, spec.selector: selects nothing: no workload in namespace shop has the labels"
                                    + " app=web -> requests to it are answered with 503");
            assertThat(assembled.problems()).extracting(Problem::severity).containsOnly(Severity.INFO);
        }

        @Test
        void aTargetPortMayBeTheNameOfAWorkloadPort() {
            Assembled assembled = assemble(
                    service("web").port("http", 80, new Target.Named("main"), ""),
                    workload("web-1").listening("main", 8080, 20080, Optional.empty()));

            ServiceEndpoint endpoint = port(assembled, "web", 80).endpoints().getFirst();
            assertThat(endpoint.port()).isEqualTo(8080);
            assertThat(endpoint.address().port()).isEqualTo(20080);
            InboundPort inbound = workloadOf(assembled, "web-1").inbound().getFirst();
            assertThat(inbound.servicePorts()).containsExactly(80);
            assertThat(inbound.protocol()).isEqualTo(Protocol.HTTP);
        }

        @Test
        void aTargetPortThatNoWorkloadHasIsTold() {
            Assembled assembled = assemble(
                    service("web").port("", 80, new Target.Named("admin"), ""),
                    workload("web-1").port(8080));

            assertThat(port(assembled, "web", 80).endpoints()).isEmpty();
            assertThat(messages(assembled))
                    .containsExactly(
                            "Service shop/web, spec.ports[0].targetPort: none of the workloads it selects has a"
                                    + " port admin -> requests to port 80 are answered with 503");
        }

        @Test
        void aWorkloadNotReadyIsKnownAsSuch() {
            Assembled assembled = assemble(service("web"), workload("web-1"), unready("web-1"));

            assertThat(port(assembled, "web", 80).endpoints())
                    .extracting(ServiceEndpoint::ready)
                    .containsExactly(false);
            assertThat(workloadOf(assembled, "web-1").ready()).isFalse();
        }

        @Test
        void theWorkloadsOwnWordOnItsProtocolHoldsAndReachesItsCallers() {
            Assembled assembled = assemble(service("db"), workload("db-1").port("", 80, Optional.of(Protocol.TCP)));

            assertThat(workloadOf(assembled, "db-1").inbound().getFirst().protocol())
                    .isEqualTo(Protocol.TCP);
            assertThat(port(assembled, "db", 80).protocol()).isEqualTo(Protocol.TCP);
        }

        @Test
        void appProtocolComesBeforeThePortName() {
            Assembled assembled =
                    assemble(service("db").port("http-alt", 80, new Target.Numbered(80), "grpc"), workload("db-1"));

            assertThat(port(assembled, "db", 80).protocol()).isEqualTo(Protocol.GRPC);
        }

        @Test
        void servicesThatDisagreeOnAProtocolLeaveItToDetection() {
            Assembled assembled = assemble(
                    service("a").selecting("db").port("http", 80, new Target.Numbered(80), ""),
                    service("b").selecting("db").port("tcp", 81, new Target.Numbered(80), ""),
                    workload("db-1"));

            assertThat(workloadOf(assembled, "db-1").inbound().getFirst().protocol())
                    .isEqualTo(Protocol.DETECT);
            assertThat(messages(assembled))
                    .singleElement()
                    .asString()
                    .contains("http, tcp", "say it here in 'protocol'");
        }

        @Test
        void ofTwoWorkloadsOnOneAddressAndPortTheFirstHasIt() {
            Assembled assembled = assemble(
                    service("web"),
                    workload("web-1").address("10.0.0.1"),
                    workload("web-2").address("10.0.0.1"),
                    workload("web-3").address("10.0.0.3"));

            assertThat(port(assembled, "web", 80).endpoints())
                    .extracting(endpoint -> endpoint.workload().orElseThrow().name())
                    .containsExactly("web-1", "web-3");
            assertThat(messages(assembled))
                    .containsExactly("Workload shop/web-2, spec.ports[0].listen: 10.0.0.1:80 is taken by Workload"
                            + " shop/web-1; say another port -> the port is left out");
        }

        @Test
        void oneLocalPortMayServeTwoMachinesButNotTwoWorkloadsOfOne() {
            Assembled assembled = assemble(
                    service("db"),
                    workload("db-1"),
                    workload("a-1").address("10.0.0.1").port(1).calling("db", 80, 21000),
                    workload("b-1").address("10.0.0.1").port(2).calling("db", 80, 21000),
                    workload("c-1").address("10.0.0.2").port(3).calling("db", 80, 21000));

            assertThat(workloadOf(assembled, "a-1").outbound()).hasSize(1);
            assertThat(workloadOf(assembled, "b-1").outbound()).isEmpty();
            assertThat(workloadOf(assembled, "c-1").outbound()).hasSize(1);
            assertThat(messages(assembled)).singleElement().asString().contains("127.0.0.1:21000 is taken by");
        }

        @Test
        void twoCallersOfUnknownMachinesMayUseOneLocalPort() {
            Assembled assembled = MeshAssembler.assemble(cluster(resources -> {
                service("db").addTo(resources);
                workload("db-1").addTo(resources);
                caller("a-1").addTo(resources);
                caller("b-1").addTo(resources);
            }));

            assertThat(workloadOf(assembled, "a-1").outbound()).hasSize(1);
            assertThat(workloadOf(assembled, "b-1").outbound()).hasSize(1);
            assertThat(assembled.problems()).isEmpty();
        }

        private static Part caller(String name) {
            return workload(name).address("127.0.0.1").withoutPorts().calling("db", 80, 21000);
        }

        @Test
        void everyFormOfAServiceNameIsUnderstood() {
            Assembled assembled = assemble(
                    service("db"),
                    workload("db-1"),
                    workload("web-1")
                            .calling("db", 80, 21001)
                            .calling("db.shop", 80, 21002)
                            .calling("db.shop.svc", 80, 21003)
                            .calling("db.shop.svc.cluster.local.", 80, 21004));

            assertThat(workloadOf(assembled, "web-1").outbound())
                    .extracting(OutboundListener::destination)
                    .hasSize(4)
                    .allSatisfy(key -> assertThat(key).hasToString("svc:shop/db:80"));
            assertThat(assembled.problems()).isEmpty();
        }

        @Test
        void callingAServiceOrPortThatIsNotThereKeepsTheListenerAndIsTold() {
            Assembled assembled = assemble(
                    service("db"),
                    workload("db-1"),
                    workload("web-1").calling("cache", 80, 21001).calling("db", 81, 21002));

            assertThat(workloadOf(assembled, "web-1").outbound()).hasSize(2);
            assertThat(messages(assembled))
                    .containsExactly(
                            "Workload shop/web-1, spec.outbound[0].service: there is no Service shop/cache -> requests to"
                                    + " 127.0.0.1:21001 are answered with 503",
                            "Workload shop/web-1, spec.outbound[1].port: Service shop/db has no port 81 -> requests to"
                                    + " 127.0.0.1:21002 are answered with 503");
        }
    }

    @Nested
    class SplitsOfTraffic {
        private final Part[] shop = {
            service("shop"), service("shop-v1"), service("shop-v2"), workload("shop-v1-1"), workload("shop-v2-1")
        };

        private Assembled with(Part... more) {
            return MeshAssembler.assemble(cluster(resources -> {
                for (Part part : shop) {
                    part.addTo(resources);
                }
                for (Part part : more) {
                    part.addTo(resources);
                }
            }));
        }

        private static List<String> warnings(Assembled assembled) {
            return assembled.problems().stream()
                    .filter(problem -> problem.severity() != Severity.INFO)
                    .map(Problem::toString)
                    .toList();
        }

        private static List<Split> splits(Assembled assembled) {
            return port(assembled, "shop", 80).splits();
        }

        @Test
        void keepsBackendsInTheOrderWrittenAndZeroWeights() {
            Assembled assembled = with(split("shop").to("shop-v2", 0).to("shop-v1", 100));

            assertThat(splits(assembled))
                    .containsExactly(new Split(
                            "shop/shop", Optional.empty(), List.of(backend("shop-v2", 0), backend("shop-v1", 100))));
            assertThat(warnings(assembled)).isEmpty();
        }

        @Test
        void toleratesAMissingBackendOfWeightZeroInSilence() {
            Assembled assembled = with(split("shop").to("shop-v1", 100).to("shop-v3", 0));

            assertThat(splits(assembled).getFirst().backends()).containsExactly(backend("shop-v1", 100));
            assertThat(warnings(assembled)).isEmpty();
        }

        @Test
        void tellsOfAMissingBackendThatHasWeight() {
            Assembled assembled = with(split("shop").to("shop-v1", 50).to("shop-v3", 50));

            assertThat(splits(assembled).getFirst().backends()).containsExactly(backend("shop-v1", 50));
            assertThat(warnings(assembled))
                    .containsExactly(
                            "TrafficSplit shop/shop, spec.backends[1].service: there is no Service shop/shop-v3"
                                    + " -> its share goes to the other backends");
        }

        @Test
        void leavesABackendOutOfAPortItDoesNotHave() {
            Assembled assembled = assemble(
                    service("shop").port(80).port(90),
                    service("shop-v1").port(80).port(90),
                    service("shop-v2").port(80),
                    workload("shop-v1-1").port(80).port(90),
                    workload("shop-v2-1").port(80),
                    split("shop").to("shop-v1", 1).to("shop-v2", 1));

            assertThat(port(assembled, "shop", 80).splits().getFirst().backends())
                    .containsExactly(backend("shop-v1", 1), backend("shop-v2", 1));
            assertThat(port(assembled, "shop", 90).splits().getFirst().backends())
                    .containsExactly(backend("shop-v1", 1));
            assertThat(warnings(assembled))
                    .containsExactly(
                            "TrafficSplit shop/shop, spec.backends[1].service: Service shop/shop-v2 has no port"
                                    + " 90, which shop/shop has; add it there -> it takes no part there");
        }

        @Test
        void aPortThatNoBackendHasStaysWithTheRoot() {
            Assembled assembled = assemble(
                    service("shop").port(80).port(90),
                    service("shop-v1").port(80),
                    workload("shop-1").port(80).port(90),
                    workload("shop-v1-1").port(80),
                    split("shop").to("shop-v1", 1));

            assertThat(port(assembled, "shop", 90).splits()).isEmpty();
            assertThat(messages(assembled))
                    .anySatisfy(
                            message -> assertThat(message)
                                    .contains(
                                            "no backend has port 90 of shop/shop; add it to the backends' Services -> the port stays with the root"));
        }

        @Test
        void theRootMayBeItsOwnBackend() {
            Assembled assembled = with(split("shop").to("shop", 80).to("shop-v2", 20), workload("shop-1"));

            assertThat(splits(assembled).getFirst().backends())
                    .containsExactly(backend("shop", 80), backend("shop-v2", 20));
            assertThat(assembled.problems()).isEmpty();
        }

        @Test
        void aBackendNamedTwiceHasTheSumOfItsWeights() {
            Assembled assembled =
                    with(split("shop").to("shop-v1", 1).to("shop-v2", 1).to("shop-v1", 2));

            assertThat(splits(assembled).getFirst().backends())
                    .containsExactly(backend("shop-v1", 3), backend("shop-v2", 1));
        }

        @Test
        void splitsWithMatchesComeBeforeTheOneWithout() {
            Assembled assembled = with(
                    split("shop").called("a-plain").to("shop-v1", 1),
                    split("shop").called("z-test").matching("phones").to("shop-v2", 1),
                    routes("phones", header("iphone", "user-agent", ".*iPhone.*")));

            assertThat(splits(assembled)).extracting(Split::name).containsExactly("shop/z-test", "shop/a-plain");
            assertThat(splits(assembled).getFirst().matches().orElseThrow())
                    .extracting(HttpMatch::name)
                    .containsExactly("phones/iphone");
        }

        @Test
        void ofSeveralPlainSplitsOfOneRootTheOldestHolds() {
            Assembled assembled = with(
                    split("shop").called("a").created("2026-02-01T00:00:00Z").to("shop-v1", 1),
                    split("shop").called("b").created("2026-01-01T00:00:00Z").to("shop-v2", 1));

            assertThat(splits(assembled)).extracting(Split::name).containsExactly("shop/b");
            assertThat(warnings(assembled))
                    .containsExactly(
                            "TrafficSplit shop/a, spec.service: conflicts with TrafficSplit shop/b, which splits"
                                    + " shop/shop too; remove one, or give this one 'matches' -> the other one holds");
        }

        @Test
        void ofSeveralPlainSplitsWithoutTimeTheFirstByNameHolds() {
            Assembled assembled = with(
                    split("shop").called("b").to("shop-v2", 1),
                    split("shop").called("a").to("shop-v1", 1));

            assertThat(splits(assembled)).extracting(Split::name).containsExactly("shop/a");
        }

        @Test
        void aSplitWhoseGroupIsMissingIsLeftOut() {
            Assembled assembled = with(
                    split("shop").called("test").matching("phones").to("shop-v2", 1),
                    split("shop").called("plain").to("shop-v1", 1));

            assertThat(splits(assembled)).extracting(Split::name).containsExactly("shop/plain");
            assertThat(warnings(assembled))
                    .singleElement()
                    .asString()
                    .contains("there is no HTTPRouteGroup shop/phones");
        }

        @Test
        void aSplitWhoseOnlyMatchHasABadRegexTakesNothing() {
            Assembled assembled = with(
                    split("shop").matching("phones").to("shop-v2", 1),
                    routes("phones", header("iphone", "user-agent", "(?=iPhone)")));

            assertThat(splits(assembled).getFirst().matches()).contains(List.of());
            assertThat(warnings(assembled))
                    .singleElement()
                    .asString()
                    .startsWith("HTTPRouteGroup shop/phones, spec.matches[0].headers: ")
                    .contains("(?=iPhone)", "is not RE2 syntax");
        }

        @Test
        void aSplitOfAServiceThatIsNotThereIsTold() {
            Assembled assembled = with(split("cart").to("shop-v1", 1));

            assertThat(warnings(assembled))
                    .containsExactly(
                            "TrafficSplit shop/cart, spec.service: there is no Service shop/cart -> the split has"
                                    + " no effect until there is");
        }

        @Test
        void aBackendWithWeightAndNoReadyEndpointsIsTold() {
            Assembled assembled = with(split("shop").to("shop-v1", 1).to("shop-v2", 1), unready("shop-v2-1"));

            assertThat(warnings(assembled))
                    .containsExactly(
                            "TrafficSplit shop/shop, spec.backends[1].service: Service shop/shop-v2 has weight 1"
                                    + " and no ready endpoints -> its share goes to the other backends");
        }
    }

    @Nested
    class AccessRules {
        private Grant grant(Assembled assembled) {
            return workloadOf(assembled, "db-1").access().policy().grants().getFirst();
        }

        private Access access(Assembled assembled) {
            return workloadOf(assembled, "db-1").access().policy().access();
        }

        @Test
        void aWorkloadThatNoTargetNamesIsOpen() {
            Assembled assembled = assemble(workload("db-1"));

            assertThat(access(assembled)).isEqualTo(Access.OPEN);
            assertThat(workloadOf(assembled, "db-1").access().accessFrom()).isEqualTo("the default");
        }

        @Test
        void theFirstTargetThatNamesItsAccountClosesIt() {
            Assembled assembled = assemble(
                    workload("db-1"),
                    workload("web-1"),
                    target("db").on("db").from("web").routes("all"),
                    routes("all", path("any", "/")));

            assertThat(access(assembled)).isEqualTo(Access.CLOSED);
            assertThat(workloadOf(assembled, "db-1").access().accessFrom())
                    .isEqualTo("TrafficTarget shop/db, which names its service account db");
            assertThat(grant(assembled).sources()).containsExactly(WEB);
            assertThat(grant(assembled).ports()).isEmpty();
            assertThat(assembled.problems()).isEmpty();
        }

        @Test
        void aRuleWithoutMatchesMeansEveryEntryOfTheGroup() {
            Assembled assembled = assemble(
                    workload("db-1"),
                    target("db").on("db").from("web").routes("all"),
                    routes("all", path("a", "/a"), path("b", "/b")));

            assertThat(grant(assembled).routes().orElseThrow())
                    .extracting(HttpMatch::name)
                    .containsExactly("all/a", "all/b");
        }

        @Test
        void aNamedMatchThatIsMissingContributesNothing() {
            Assembled assembled = assemble(
                    workload("db-1"),
                    workload("web-1"),
                    target("db").on("db").from("web").routes("all", "a", "c"),
                    routes("all", path("a", "/a"), path("b", "/b")));

            assertThat(grant(assembled).routes().orElseThrow())
                    .extracting(HttpMatch::name)
                    .containsExactly("all/a");
            assertThat(messages(assembled))
                    .containsExactly(
                            "TrafficTarget shop/db, spec.rules[0]: HTTPRouteGroup shop/all has no match 'c'; it has a, b ->"
                                    + " that name grants nothing, the others hold");
        }

        @Test
        void namesThatAreAllMissingNeverMeanEveryEntry() {
            Assembled assembled = assemble(
                    workload("db-1"),
                    target("db").on("db").from("web").routes("all", "c"),
                    routes("all", path("a", "/a")));

            assertThat(grant(assembled).routes()).contains(List.of());
        }

        @Test
        void aMissingGroupContributesNothingAndOtherRulesHold() {
            Assembled assembled = assemble(
                    workload("db-1"),
                    workload("web-1"),
                    target("db").on("db").from("web").routes("missing").routes("all"),
                    routes("all", path("a", "/a")));

            assertThat(grant(assembled).routes().orElseThrow())
                    .extracting(HttpMatch::name)
                    .containsExactly("all/a");
            assertThat(messages(assembled))
                    .containsExactly(
                            "TrafficTarget shop/db, spec.rules[0]: there is no HTTPRouteGroup shop/missing; make"
                                    + " it or correct the name -> this rule grants nothing, the others hold");
        }

        @Test
        void aTargetWhoseOnlyGroupIsMissingClosesAndGrantsNothing() {
            Assembled assembled =
                    assemble(workload("db-1"), target("db").on("db").from("web").routes("missing"));

            assertThat(access(assembled)).isEqualTo(Access.CLOSED);
            assertThat(grant(assembled).routes()).contains(List.of());
        }

        @Test
        void aTargetWhoseOnlyTcpRouteIsMissingFailsClosed() {
            Assembled assembled = assemble(
                    workload("db-1"),
                    target("db").on("db").from("web").tcp("missing").routes("all"),
                    routes("all", path("a", "/a")));

            assertThat(grant(assembled).ports()).contains(List.of());
        }

        @Test
        void portsOfAllTcpRoutesJoinAndAnEmptyRouteMeansAllPorts() {
            Assembled some = assemble(
                    workload("db-1"),
                    target("db").on("db").from("web").tcp("a").tcp("b"),
                    tcpRoute("a", 90, 80),
                    tcpRoute("b", 70));
            Assembled all = assemble(
                    workload("db-1"),
                    target("db").on("db").from("web").tcp("a").tcp("b"),
                    tcpRoute("a", 90),
                    tcpRoute("b"));

            assertThat(grant(some).ports()).contains(List.of(70, 80, 90));
            assertThat(grant(some).routes()).isEmpty();
            assertThat(grant(all).ports()).isEmpty();
        }

        @Test
        void theOldPortOfADestinationMustHoldTogetherWithTheTcpRoutes() {
            Assembled alone = assemble(
                    workload("db-1"),
                    target("db").on("db").port(80).from("web").routes("all"),
                    routes("all", path("a", "/a")));
            Assembled both = assemble(
                    workload("db-1"), target("db").on("db").port(80).from("web").tcp("a"), tcpRoute("a", 80, 90));
            Assembled neither = assemble(
                    workload("db-1"),
                    workload("web-1"),
                    target("db").on("db").port(80).from("web").tcp("a"),
                    tcpRoute("a", 90));

            assertThat(grant(alone).ports()).contains(List.of(80));
            assertThat(grant(both).ports()).contains(List.of(80));
            assertThat(grant(neither).ports()).contains(List.of());
            assertThat(messages(neither)).singleElement().asString().contains("both must hold");
        }

        @Test
        void aTargetOfUdpRoutesOnlyGrantsNothing() {
            Assembled assembled =
                    assemble(workload("db-1"), target("db").on("db").from("web").udp("dns"), udpRoute("dns", 53));

            assertThat(grant(assembled).ports()).contains(List.of());
            assertThat(grant(assembled).routes()).contains(List.of());
            assertThat(messages(assembled))
                    .anySatisfy(message -> assertThat(message).contains("UDPRoute shop/dns says nothing about TCP"));
        }

        @Test
        void aUdpRouteBesideOthersTakesNothingAwayFromThem() {
            Assembled assembled = assemble(
                    workload("db-1"),
                    target("db").on("db").from("web").udp("dns").tcp("a"),
                    udpRoute("dns", 53),
                    tcpRoute("a", 80));

            assertThat(grant(assembled).ports()).contains(List.of(80));
            assertThat(grant(assembled).routes()).isEmpty();
        }

        @Test
        void aTargetForAnotherNamespaceGrantsNothingAndClosesNothing() {
            Assembled assembled = assemble(
                    workload("db-1"),
                    target("db").in("evil").on("db").from("web").tcp("a"),
                    tcpRoute("a"));

            assertThat(access(assembled)).isEqualTo(Access.OPEN);
            assertThat(workloadOf(assembled, "db-1").access().policy().grants()).isEmpty();
            assertThat(messages(assembled))
                    .containsExactly(
                            "TrafficTarget evil/db, spec.destination.namespace: is 'shop', but a TrafficTarget grants"
                                    + " access only in its own namespace; create it in namespace shop -> grants nothing");
        }

        @Test
        void sourcesMayBeOfOtherNamespaces() {
            Assembled assembled = assemble(
                    workload("db-1"),
                    target("db").on("db").fromNamespace("front", "web").tcp("a"),
                    tcpRoute("a"));

            assertThat(grant(assembled).sources()).containsExactly(new SpiffeId("cluster.local", "front", "web"));
        }

        @Test
        void aMatchWhoseRegexIsNotRe2IsLeftOutAndTheOthersHold() {
            Assembled assembled = assemble(
                    workload("db-1"),
                    workload("web-1"),
                    target("db").on("db").from("web").routes("all"),
                    routes("all", path("bad", "/(?<!x)y"), path("good", "/good")));

            assertThat(grant(assembled).routes().orElseThrow())
                    .extracting(HttpMatch::name)
                    .containsExactly("all/good");
            assertThat(assembled.problems()).singleElement().satisfies(problem -> {
                assertThat(problem.severity()).isEqualTo(Severity.ERROR);
                assertThat(problem.object()).map(Object::toString).contains("HTTPRouteGroup shop/all");
                assertThat(problem.field()).isEqualTo("spec.matches[0].pathRegex");
                assertThat(problem.message()).contains("'/(?<!x)y'", "is not RE2 syntax");
                assertThat(problem.outcome()).isEqualTo("match 'bad' is left out, the others of its group hold");
            });
        }

        @Test
        void theNarrowestSettingHolds() {
            Assembled assembled = assemble(
                    settings(Map.of("access", "closed", "unmeshed", "deny", "same-identity", "allow")),
                    namespace("shop", Map.of("tulle.dev/access", "audit")),
                    workload("db-1").annotation("tulle.dev/unmeshed", "always"));

            Workload db = workloadOf(assembled, "db-1");
            assertThat(db.access().policy().access()).isEqualTo(Access.AUDIT);
            assertThat(db.access().accessFrom()).isEqualTo("annotation tulle.dev/access of Namespace shop");
            assertThat(db.access().policy().unmeshed()).isEqualTo(Unmeshed.ALWAYS);
            assertThat(db.access().unmeshedFrom()).isEqualTo("annotation tulle.dev/unmeshed of Workload shop/db-1");
            assertThat(db.access().policy().sameIdentity()).isTrue();
            assertThat(db.access().sameIdentityFrom())
                    .isEqualTo("key same-identity of ConfigMap tulle-system/tulle-settings");
        }

        @Test
        void anAuditedWorkloadStaysAuditedWhenATargetNamesIt() {
            Assembled assembled = assemble(
                    workload("db-1").annotation("tulle.dev/access", "audit"),
                    target("db").on("db").from("web").tcp("a"),
                    tcpRoute("a"));

            assertThat(access(assembled)).isEqualTo(Access.AUDIT);
        }

        @Test
        void aWordThatIsNotKnownCountsAsTheStrictest() {
            Assembled assembled = assemble(
                    namespace("shop", Map.of("tulle.dev/access", "clsoed", "tulle.dev/unmeshed", "alow")),
                    workload("db-1"));

            assertThat(access(assembled)).isEqualTo(Access.CLOSED);
            assertThat(workloadOf(assembled, "db-1").access().policy().unmeshed())
                    .isEqualTo(Unmeshed.DENY);
            assertThat(messages(assembled))
                    .contains("Namespace shop, metadata.annotations.tulle.dev/access: 'clsoed' is not one of audit,"
                            + " closed, open -> it counts as the strictest of them");
        }

        @Test
        void anAnnotationThatIsNotKnownIsTold() {
            Assembled assembled = assemble(workload("db-1").annotation("tulle.dev/acess", "closed"));

            assertThat(messages(assembled)).singleElement().asString().contains("no such annotation");
        }

        @Test
        void pathsMatchWholeWhereTheDestinationSaysSo() {
            Assembled assembled = assemble(
                    workload("db-1").annotation("tulle.dev/path-match", "full"),
                    workload("db-2"),
                    target("db").on("db").from("web").routes("all"),
                    routes("all", path("a", "/a")));

            assertThat(grant(assembled)
                            .routes()
                            .orElseThrow()
                            .getFirst()
                            .path()
                            .orElseThrow()
                            .full())
                    .isTrue();
            HttpMatch other = workloadOf(assembled, "db-2")
                    .access()
                    .policy()
                    .grants()
                    .getFirst()
                    .routes()
                    .orElseThrow()
                    .getFirst();
            assertThat(other.path().orElseThrow().full()).isFalse();
        }
    }
}
