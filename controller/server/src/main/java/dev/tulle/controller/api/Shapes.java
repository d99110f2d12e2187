package dev.tulle.controller.api;

import dev.tulle.controller.why.WhyAnswer;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The JSON shapes of the API, as the README of this module lists them.
 *
 * <p>Numbers that are not known, such as the success rate of nothing, are {@code null}.
 */
public final class Shapes {
    private Shapes() {}

    /** Everything that is declared, and what its proxies say. */
    public record Mesh(
            String trustDomain,
            long generation,
            List<Service> services,
            List<Workload> workloads,
            List<Split> splits,
            List<Problem> problems) {}

    /**
     * A Service.
     *
     * @param policies what its annotations ask for, a phrase each: {@code timeout 2s}
     * @param acts what these did to calls in the last ten minutes
     */
    public record Service(
            String name, List<Port> ports, List<String> workloads, List<String> policies, List<Act> acts) {}

    /**
     * Something that resilience did to calls, all proxies together.
     *
     * @param what {@code retry}, {@code timeout}, {@code ejection} and so on
     * @param count how often
     * @param now how many at this moment, for what lasts; else 0
     */
    public record Act(String what, long count, long now) {}

    /** A port of a Service. */
    public record Port(String name, int port, String protocol) {}

    /**
     * An instance.
     *
     * @param calls Services it declares to call; those it merely called are in the edges
     */
    public record Workload(
            String name,
            String owner,
            String identity,
            boolean ready,
            String detail,
            String access,
            List<String> calls,
            @Nullable Proxy proxy) {}

    /** A TrafficSplit. */
    public record Split(String name, String service, List<String> matches, List<Backend> backends) {}

    /** A share of a split. */
    public record Backend(String service, long weight) {}

    /** Something wrong, and what was done about it. */
    public record Problem(String severity, String object, String field, String place, String message, String remedy) {}

    /** The list of problems. */
    public record Problems(List<Problem> problems) {}

    /** Traffic by edge. */
    public record Edges(long window, List<Edge> edges) {}

    /**
     * Who called whom, as one side saw it.
     *
     * @param from {@code namespace/owner} of the caller; empty for one in plain text
     * @param to the called Service, or {@code namespace/owner} of the called workload
     * @param backend the Service that the split chose (client), or the port (server)
     */
    public record Edge(
            String from,
            String fromIdentity,
            String to,
            String backend,
            String toIdentity,
            String protocol,
            boolean mtls,
            double rate,
            @Nullable Double success,
            @Nullable Double p50,
            @Nullable Double p95,
            @Nullable Double p99,
            double denied,
            String reporter) {}

    /** Golden numbers by Service and by owner. */
    public record Stats(long window, List<Stat> services, List<Stat> workloads) {}

    /** Golden numbers of one Service or owner. */
    public record Stat(
            String name,
            double rate,
            @Nullable Double success,
            @Nullable Double p50,
            @Nullable Double p95,
            @Nullable Double p99,
            @Nullable Double mtls,
            double denied) {}

    /** The newest refusals. */
    public record Denials(List<Denial> denied) {}

    /** A refused call, and the YAML that would let it pass. */
    public record Denial(
            Instant at,
            String from,
            String to,
            int port,
            String method,
            String path,
            String reason,
            String detail,
            boolean audited,
            String allow) {}

    /** Every proxy. */
    public record Proxies(List<Proxy> proxies) {}

    /** One proxy. */
    public record Proxy(
            String workload,
            String instance,
            String version,
            boolean connected,
            Instant since,
            long sent,
            long acked,
            double lagSeconds,
            @Nullable Nack nack,
            Instant certificateExpiry,
            String issuer,
            long connections,
            boolean ready,
            String detail) {}

    /** A message a proxy could not use. */
    public record Nack(long version, String about, String error) {}

    /** The certificate authority. */
    public record Authority(String trustDomain, List<Anchor> anchors, Issuer issuer, Rotation rotation) {}

    /** A root that is trusted now. */
    public record Anchor(String sha256, String id, Instant notBefore, Instant notAfter, String pem) {}

    /** Who signs now; {@code given} says that it came in a Secret and is renewed by whoever made that. */
    public record Issuer(String id, Instant notBefore, Instant notAfter, boolean given) {}

    /** Where the exchange of the root stands. */
    public record Rotation(String phase, long generation, Instant since, List<String> waitingFor) {}

    /** What would become of a call. */
    public record Why(
            String outcome,
            String summary,
            String caller,
            String called,
            String route,
            String routeReason,
            List<WhyAnswer.BackendAnswer> backends) {}

    /** All the page shows. */
    @RegisterForReflection // Written by our own mapper, so that nothing else announces it to a native image.
    public record State(Mesh mesh, Edges edges, Denials denied, Proxies proxies, Authority ca) {}

    /** A refusal in one sentence. */
    @RegisterForReflection
    public record Refusal(String error) {}
}
