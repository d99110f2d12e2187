package dev.tulle.controller.api;

import dev.tulle.controller.discovery.ProxyStatus;
import dev.tulle.controller.identity.AuthorityState;
import dev.tulle.controller.identity.Root;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.time.Instant;
import java.util.function.ToDoubleFunction;

/** The controller's own meters; read when they are asked for. The set of series is fixed. */
@ApplicationScoped
public class Meters {
    private final Current current;
    private final MeterRegistry registry;

    public Meters(Current current, MeterRegistry registry) {
        this.current = current;
        this.registry = registry;
    }

    void register(@Observes StartupEvent started) {
        gauge(
                "tulle_controller_proxies_connected",
                "Proxies whose stream is up",
                views -> views.controller().publisher().connected());
        gauge(
                "tulle_controller_proxies_nacked",
                "Proxies that refused their newest config",
                views -> views.controller().registry().statuses().values().stream()
                        .filter(status -> status.nack().isPresent())
                        .count());
        gauge(
                "tulle_controller_proxy_ack_lag_seconds",
                "Longest time a proxy has left a message unanswered",
                views -> views.proxies().proxies().stream()
                        .mapToDouble(Shapes.Proxy::lagSeconds)
                        .max()
                        .orElse(0));
        gauge(
                "tulle_controller_problems",
                "Problems shown now",
                views -> views.problems().problems().size());
        gauge(
                "tulle_controller_services",
                "Services of the mesh",
                views -> views.mesh().services().size());
        gauge(
                "tulle_controller_workloads",
                "Workloads of the mesh",
                views -> views.mesh().workloads().size());
        gauge(
                "tulle_controller_rebuild_seconds",
                "Time the last rebuild of the mesh took",
                views -> views.controller().progress().get().rebuildSeconds());
        gauge(
                "tulle_controller_config_last_applied_timestamp_seconds",
                "When the mesh was last rebuilt",
                views -> views.controller().progress().get().at().toEpochMilli() / 1000.0);
        gauge(
                "tulle_controller_root_rotation_under_way",
                "1 while two roots are trusted",
                views -> views.controller().authority().state().roots().size() - 1);
        counter(
                "tulle_controller_meshes_built",
                "Different meshes since the start",
                views -> views.controller().progress().get().generation());
        counter(
                "tulle_controller_config_pushes",
                "Messages sent to proxies",
                views -> views.controller().counters().pushes());
        counter(
                "tulle_controller_nacks",
                "Messages proxies could not use",
                views -> views.controller().counters().nacks());
        counter(
                "tulle_controller_streams_cut",
                "Streams ended for passing a limit",
                views -> views.controller().counters().cut());
        counter(
                "tulle_controller_refused",
                "Requests of proxies turned away",
                views -> views.controller().counters().refused());
        counter(
                "tulle_controller_certificates",
                "Certificates given to proxies",
                views -> views.controller().counters().certificates());
        counter(
                "tulle_controller_report_entries_unnamed",
                "Entries of reports counted without names",
                views -> views.controller().traffic().overflowed());
        expiry(
                "root",
                views -> seconds(
                        newestRoot(views.controller().authority().state()).notAfter()));
        expiry(
                "issuer",
                views -> seconds(views.controller().authority().state().issuer().notAfter()));
        expiry(
                "workload",
                views -> views.controller().registry().statuses().values().stream()
                        .filter(ProxyStatus::connected)
                        .mapToDouble(status -> seconds(status.leafEnds()))
                        .min()
                        .orElse(Double.NaN));
    }

    private static Root newestRoot(AuthorityState state) {
        return state.roots().getLast();
    }

    private static double seconds(Instant time) {
        return time.getEpochSecond();
    }

    private void expiry(String certificate, ToDoubleFunction<Views> value) {
        Gauge.builder("tulle_identity_certificate_expiry_timestamp_seconds", this, meters -> meters.read(value))
                .description("End of a certificate; for workloads of the one that ends first")
                .tag("certificate", certificate)
                .register(registry);
    }

    private void gauge(String name, String description, ToDoubleFunction<Views> value) {
        Gauge.builder(name, this, meters -> meters.read(value))
                .description(description)
                .register(registry);
    }

    private void counter(String name, String description, ToDoubleFunction<Views> value) {
        FunctionCounter.builder(name, this, meters -> meters.read(value))
                .description(description)
                .register(registry);
    }

    private double read(ToDoubleFunction<Views> value) {
        return current.views().map(value::applyAsDouble).orElse(Double.NaN);
    }
}
