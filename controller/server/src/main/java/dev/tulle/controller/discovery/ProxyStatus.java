package dev.tulle.controller.discovery;

import static java.util.Objects.requireNonNull;

import dev.tulle.proxy.model.TrustBundle;
import dev.tulle.proxy.model.WorkloadId;
import java.time.Instant;
import java.util.Optional;

/**
 * What is known of one workload's proxy.
 *
 * @param workload whose proxy
 * @param instance differs between two runs; empty before the first stream
 * @param version of the program; empty before the first stream
 * @param connected whether its stream is up
 * @param since when it came up, or went down
 * @param seen when it was last heard of
 * @param sent version of the newest message sent
 * @param acked version of the newest message it has in effect
 * @param oldestUnacked when the oldest unanswered message was sent
 * @param nack the newest message it refused and has not been sent a better one for
 * @param trust the newest bundle it has taken
 * @param health what it last said of its application; absent before it said anything
 * @param leafEnds end of its certificate
 * @param issuer authority key identifier of its certificate, lower-case hex; empty when unknown
 * @param connections open connections, as last reported
 */
public record ProxyStatus(
        WorkloadId workload,
        String instance,
        String version,
        boolean connected,
        Instant since,
        Instant seen,
        long sent,
        long acked,
        Optional<Instant> oldestUnacked,
        Optional<Outbox.Nack> nack,
        Optional<TrustBundle> trust,
        Optional<Health> health,
        Instant leafEnds,
        String issuer,
        long connections) {
    public ProxyStatus {
        requireNonNull(workload, "workload");
        requireNonNull(instance, "instance");
        requireNonNull(version, "version");
        requireNonNull(since, "since");
        requireNonNull(seen, "seen");
        requireNonNull(oldestUnacked, "oldestUnacked");
        requireNonNull(nack, "nack");
        requireNonNull(trust, "trust");
        requireNonNull(health, "health");
        requireNonNull(leafEnds, "leafEnds");
        requireNonNull(issuer, "issuer");
    }

    /** Whether its application is well, in its own words. */
    public record Health(boolean ready, String detail) {
        public Health {
            requireNonNull(detail, "detail");
        }
    }

    /** A proxy that was just given its first certificate. */
    static ProxyStatus enrolled(WorkloadId workload, Instant now, Instant leafEnds, String issuer, TrustBundle trust) {
        return new ProxyStatus(
                workload,
                "",
                "",
                false,
                now,
                now,
                0,
                0,
                Optional.empty(),
                Optional.empty(),
                Optional.of(trust),
                Optional.empty(),
                leafEnds,
                issuer,
                0);
    }

    /** The same proxy after its stream went down. */
    ProxyStatus disconnected(Instant now) {
        return new ProxyStatus(
                workload,
                instance,
                version,
                false,
                now,
                now,
                sent,
                acked,
                Optional.empty(),
                nack,
                trust,
                health,
                leafEnds,
                issuer,
                0);
    }
}
