package dev.tulle.proxy.routing;

import dev.tulle.proxy.model.WorkloadConfig.Probe;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/**
 * The platform's questions at one port, which are let in whoever asks.
 *
 * <p>Exactly what was declared and nothing beside it: the platform has no identity to tell it from anyone else. Immutable; safe for all
 * threads. Source: Kubernetes, probes of containers; gRPC health checking protocol.
 */
public final class Probes {
    /** None at all. */
    public static final Probes NONE = new Probes(Set.of(), false);

    private static final String GRPC_CHECK = "/grpc.health.v1.Health/Check";

    private final Set<String> targets;
    private final boolean grpc;

    private Probes(Set<String> targets, boolean grpc) {
        this.targets = Set.copyOf(targets);
        this.grpc = grpc;
    }

    /** Those of one port; a path that no request can have by the time it is judged admits nothing and is told. */
    static Probes of(List<Probe> declared, Consumer<String> problems) {
        Set<String> targets = new HashSet<>();
        boolean grpc = false;
        for (Probe probe : declared) {
            switch (probe.kind()) {
                case GRPC -> grpc = true;
                case HTTP -> {
                    switch (PathNormalizer.normalize(probe.path())) {
                        case NormalizedPath.Normal(String target, String path) -> targets.add(target);
                        case NormalizedPath.Refused(NormalizedPath.Reason reason) ->
                            problems.accept(
                                    "the probe of port %d is not let in: its path '%s' is refused (%s): spell it plainly"
                                            .formatted(probe.port(), probe.path(), reason.wireName()));
                    }
                }
            }
        }
        return new Probes(targets, grpc);
    }

    public boolean isEmpty() {
        return targets.isEmpty() && !grpc;
    }

    /** Whether a request without a body, that asks for no other protocol, is one of them. {@code target} is normalised, with its query. */
    public boolean admitsHttp(String method, String target) {
        return method.equals("GET") && targets.contains(target);
    }

    /** Whether a gRPC call is one of them. */
    public boolean admitsGrpc(String method, String target) {
        return grpc && method.equals("POST") && target.equals(GRPC_CHECK);
    }
}
