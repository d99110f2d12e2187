package dev.tulle.proxy.bootstrap;

import static java.util.Objects.requireNonNull;

import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.WorkloadId;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;

/**
 * What a proxy is started with. Read by {@link CommandLine}.
 *
 * @param workload whom to enroll as; absent means the one the join token names
 * @param source where the config comes from
 * @param redirected where traffic arrives that nat rules turn to the proxy; absent means that every port has a listener of its own
 * @param identityDir keeps key and certificates over a restart; absent means memory only
 * @param admin where {@code /livez}, {@code /readyz} and {@code /metrics} are served; absent means nowhere; port 0 picks one
 * @param adminLocal a loopback address where {@code /config} and {@code /shutdown} are served too; absent means nowhere
 * @param adminTokenFile holds the token {@code /shutdown} asks for; absent means that it is refused
 * @param appHealth what the admin server asks of the application for the kubelet, as the injector wrote it; empty for nothing
 * @param dialects whose names for metrics are used too, beside our own and Istio's
 * @param logLevel how much is said
 * @param concurrency event loops of the data plane
 * @param drainDelay from "not ready" to the start of the drain, for callers to notice
 * @param drainTimeout for what is in flight at the end
 */
public record Settings(
        Optional<WorkloadId> workload,
        Source source,
        Optional<Redirected> redirected,
        Optional<Path> identityDir,
        Optional<HostPort> admin,
        Optional<HostPort> adminLocal,
        Optional<Path> adminTokenFile,
        String appHealth,
        Set<Dialect> dialects,
        Log.Level logLevel,
        int concurrency,
        Duration drainDelay,
        Duration drainTimeout) {
    public Settings {
        requireNonNull(workload, "workload");
        requireNonNull(source, "source");
        requireNonNull(redirected, "redirected");
        requireNonNull(identityDir, "identityDir");
        requireNonNull(admin, "admin");
        requireNonNull(adminLocal, "adminLocal");
        requireNonNull(adminTokenFile, "adminTokenFile");
        requireNonNull(appHealth, "appHealth");
        dialects = Set.copyOf(dialects);
        requireNonNull(logLevel, "logLevel");
        requireNonNull(drainDelay, "drainDelay");
        requireNonNull(drainTimeout, "drainTimeout");
        if (concurrency < 1) {
            throw new IllegalArgumentException("concurrency is %d, less than 1".formatted(concurrency));
        }
    }

    /**
     * The common listeners, on all addresses of both families.
     *
     * @param inboundPort for what comes for the application
     * @param outboundPort for what the application sends
     */
    public record Redirected(int inboundPort, int outboundPort) {
        /** The ports that the redirect step takes by default. */
        public static final Redirected DEFAULT = new Redirected(15806, 15801);

        public Redirected {
            if (inboundPort < 0 || inboundPort > 65535 || outboundPort < 0 || outboundPort > 65535) {
                throw new IllegalArgumentException(
                        "ports are %d and %d, not 0 to 65535".formatted(inboundPort, outboundPort));
            }
        }
    }

    /** Another mesh whose names for the server side's metrics can be used, for tools that ask for these. */
    public enum Dialect {
        /** {@code response_total}, {@code response_latency_ms}. */
        LINKERD,
        /** {@code osm_request_total}, {@code osm_request_duration_ms}. */
        OSM
    }

    /** Where a proxy has its config from. */
    public sealed interface Source {
        /**
         * A controller, over its stream.
         *
         * @param address of its port for enrolment and discovery
         * @param tokenFile holds a join token; may be absent only when the identity directory holds a certificate
         * @param trustFile whom to trust at the first call; then the token is one of the platform
         */
        record Controller(HostPort address, Optional<Path> tokenFile, Optional<Path> trustFile) implements Source {
            public Controller {
                requireNonNull(address, "address");
                requireNonNull(tokenFile, "tokenFile");
                requireNonNull(trustFile, "trustFile");
            }
        }

        /** A file of one {@code ProxyConfig}, read again when it changes. */
        record ConfigFile(Path file) implements Source {
            public ConfigFile {
                requireNonNull(file, "file");
            }
        }
    }
}
