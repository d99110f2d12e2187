package dev.tulle.controller.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.controller.identity.Authorities.HandClock;
import dev.tulle.controller.why.WhyQuestion;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ViewsTest {
    private static final Duration WINDOW = Duration.ofSeconds(30);

    private final HandClock clock = new HandClock(Instant.parse("2026-01-01T00:00:05Z"));

    @TempDir
    Path directory;

    private Views views;

    @BeforeEach
    void make() throws Exception {
        views = Demo.views(directory, clock);
    }

    @Test
    void showsWhatIsDeclared() {
        Shapes.Mesh mesh = views.mesh();
        assertThat(mesh.trustDomain()).isEqualTo("cluster.local");
        assertThat(mesh.generation()).isEqualTo(4);
        assertThat(mesh.services())
                .extracting(Shapes.Service::name)
                .containsExactly("shop/catalog", "shop/reviews", "shop/reviews-v1", "shop/reviews-v2");
        assertThat(mesh.splits()).hasSize(1).first().satisfies(split -> {
            assertThat(split.service()).isEqualTo("shop/reviews");
            assertThat(split.backends())
                    .containsExactly(
                            new Shapes.Backend("shop/reviews-v1", 90), new Shapes.Backend("shop/reviews-v2", 10));
        });
        assertThat(mesh.workloads())
                .filteredOn(workload -> workload.name().equals("shop/catalog-1"))
                .first()
                .satisfies(workload -> {
                    assertThat(workload.identity()).isEqualTo(Demo.CATALOG);
                    assertThat(workload.calls()).containsExactly("shop/reviews");
                    assertThat(workload.access()).isEqualTo("open");
                    assertThat(workload.proxy()).isNull();
                    assertThat(workload.detail()).isEqualTo("not heard of yet");
                });
    }

    @Test
    void showsPoliciesAndWhatTheyDid() {
        assertThat(views.mesh().services())
                .filteredOn(service -> service.name().equals("shop/catalog"))
                .first()
                .satisfies(service -> {
                    assertThat(service.policies()).containsExactly("timeout 2s", "eject-after 5", "rate-limit 100/s");
                    assertThat(service.acts())
                            .containsExactly(
                                    new Shapes.Act("ejection", 2, 1),
                                    new Shapes.Act("rate-limit", 4, 0),
                                    new Shapes.Act("timeout", 3, 0));
                });
        assertThat(views.mesh().services())
                .filteredOn(service -> service.name().equals("shop/reviews"))
                .allSatisfy(service -> {
                    assertThat(service.policies()).isEmpty();
                    assertThat(service.acts()).isEmpty();
                });
    }

    @Test
    void showsWhoCallsWhomAndHow() {
        assertThat(views.edges(WINDOW).edges())
                .extracting(edge -> "%s > %s by %s, %s, %s, %s"
                        .formatted(
                                edge.from(),
                                edge.to(),
                                edge.backend(),
                                edge.mtls() ? "mtls" : "plain",
                                edge.reporter(),
                                edge.denied() > 0 ? "denied" : edge.success()))
                .containsExactlyInAnyOrder(
                        " > shop/catalog by 9080, plain, server, 1.0",
                        "shop/catalog > shop/reviews by shop/reviews-v1, mtls, client, 1.0",
                        "shop/catalog > shop/reviews by shop/reviews-v2, mtls, client, 0.9",
                        "shop/catalog > shop/reviews-v1 by 9080, mtls, server, 1.0",
                        "shop/thief > shop/reviews-v1 by 9080, mtls, server, denied",
                        "shop/web > shop/catalog by 9080, mtls, server, 1.0",
                        "shop/web > shop/catalog by shop/catalog, mtls, client, 1.0");
    }

    @Test
    void addsUpByServiceAndOwner() {
        Shapes.Stats stats = views.stats(WINDOW);
        assertThat(stats.services())
                .filteredOn(stat -> stat.name().equals("shop/reviews"))
                .first()
                .satisfies(stat -> {
                    assertThat(stat.success()).isEqualTo(0.99);
                    assertThat(stat.mtls()).isEqualTo(1.0);
                    assertThat(stat.p50()).isBetween(4.0, 5.0);
                });
        assertThat(stats.workloads())
                .filteredOn(stat -> stat.name().equals("shop/catalog"))
                .first()
                .satisfies(stat -> assertThat(stat.mtls()).isEqualTo(0.952));
    }

    @Test
    void showsWhatWouldAllowADenial() {
        assertThat(views.denials(10).denied()).hasSize(1).first().satisfies(denial -> {
            assertThat(denial.from()).isEqualTo(Demo.THIEF);
            assertThat(denial.to()).isEqualTo("shop/reviews-v1-1");
            assertThat(denial.allow()).contains("kind: TrafficTarget", "name: thief", "/secret");
        });
    }

    @Test
    void explainsWithTheCodeThatDecides() {
        assertThat(views.why(new WhyQuestion("shop/thief-1", "shop/reviews", Optional.empty(), Optional.empty())))
                .hasValueSatisfying(why -> assertThat(why.outcome()).isEqualTo("denied"));
        assertThat(views.why(new WhyQuestion("shop/web-1", "shop/nothing", Optional.empty(), Optional.empty())))
                .hasValueSatisfying(why -> assertThat(why.outcome()).isEqualTo("unknown"));
    }

    @Test
    void showsTheCertificatesAndNoKey() {
        Shapes.Authority authority = views.authority();
        assertThat(authority.anchors()).hasSize(1).first().satisfies(anchor -> {
            assertThat(anchor.pem()).startsWith("-----BEGIN CERTIFICATE-----");
            assertThat(anchor.sha256()).matches("[0-9a-f]{64}");
        });
        assertThat(authority.rotation().phase()).isEqualTo("settled");
        assertThat(authority.toString()).doesNotContain("PRIVATE KEY");
    }
}
