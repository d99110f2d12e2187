package dev.tulle.controller.discovery;

import static java.util.Objects.requireNonNull;

import dev.tulle.controller.identity.AuthorityState;
import dev.tulle.controller.identity.CertificateAuthority;
import dev.tulle.controller.identity.JoinTokens;
import dev.tulle.controller.identity.PeerVerifier.Judgement;
import dev.tulle.controller.identity.Pem;
import dev.tulle.controller.identity.RefusedRequest;
import dev.tulle.controller.identity.SigningRequest;
import dev.tulle.proxy.model.Enrollment;
import dev.tulle.proxy.model.ProxyCodec;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.TrustBundle;
import dev.tulle.proxy.model.WorkloadConfig;
import dev.tulle.proxy.model.WorkloadId;
import java.security.PublicKey;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** Gives certificates to proxies that prove who they are, by a join token or by the certificate they hold. Safe for all threads. */
final class Enroller {
    private final CertificateAuthority authority;
    private final Supplier<Optional<Snapshot>> snapshot;
    private final ProxyRegistry registry;
    private final RateLimit rate;
    private final Clock clock;

    Enroller(
            CertificateAuthority authority,
            Supplier<Optional<Snapshot>> snapshot,
            ProxyRegistry registry,
            DiscoveryLimits limits,
            Clock clock) {
        this.authority = authority;
        this.snapshot = snapshot;
        this.registry = registry;
        this.rate = new RateLimit(limits.enrolmentsPerMinute());
        this.clock = clock;
    }

    /**
     * The first certificate.
     *
     * @param authorization value of the header, {@code Bearer <token>}
     * @param named workload the proxy believes to be, when it says so
     * @param request PKCS#10, PEM
     */
    Outcome enroll(Optional<String> authorization, Optional<WorkloadId> named, String request) {
        Optional<String> token = authorization
                .filter(value -> value.regionMatches(true, 0, "Bearer ", 0, 7))
                .map(value -> value.substring(7));
        if (token.isEmpty()) {
            return new Outcome(
                    Optional.empty(),
                    Answer.refusal(401, "Enrolment needs a join token: 'Authorization: Bearer <token>'."));
        }
        return switch (JoinTokens.verify(authority.state(), token.get(), clock.instant())) {
            case JoinTokens.Verification.Refused(String sentence) -> new Outcome(named, Answer.refusal(401, sentence));
            case JoinTokens.Verification.Valid(WorkloadId workload)
            when !named.orElse(workload).equals(workload) ->
                new Outcome(
                        named,
                        Answer.refusal(
                                403,
                                "The join token is for the workload %s, not for %s; make one with 'tulle token %s'."
                                        .formatted(workload, named.orElse(workload), named.orElse(workload))));
            case JoinTokens.Verification.Valid(WorkloadId workload) -> give(workload, Optional.empty(), request);
        };
    }

    /** The next certificate of a proxy that holds one. */
    Outcome renew(Judgement caller, Optional<WorkloadId> named, String request) {
        if (named.isEmpty()) {
            return new Outcome(
                    Optional.empty(),
                    Answer.refusal(400, "Renewal needs to say for whom: '?workload=namespace/name'."));
        }
        return switch (caller) {
            case Judgement.Refused(String sentence) -> new Outcome(named, Answer.refusal(401, sentence));
            case Judgement.Proven proven -> give(named.get(), Optional.of(proven.identity()), request);
        };
    }

    private Outcome give(WorkloadId workload, Optional<SpiffeId> proven, String request) {
        Optional<Snapshot> mesh = snapshot.get();
        if (mesh.isEmpty()) {
            return new Outcome(
                    Optional.of(workload), Answer.refusal(503, "The controller is still reading the mesh; try again."));
        }
        Optional<SpiffeId> identity = mesh.get().workload(workload).map(WorkloadConfig::identity);
        if (identity.isEmpty()) {
            return refused(workload, 404, unknownWorkload(workload));
        }
        if (proven.isPresent() && !proven.get().equals(identity.get())) {
            return refused(workload, 403, otherIdentity(workload, identity.get(), proven.get()));
        }
        if (!rate.admit(workload, clock.instant())) {
            return refused(
                    workload,
                    429,
                    "The workload %s asks for certificates too often; wait a minute.".formatted(workload));
        }
        try {
            return given(workload, identity.get(), SigningRequest.provenKey(request), proven.isEmpty());
        } catch (RefusedRequest e) {
            return refused(workload, 400, String.valueOf(e.getMessage()));
        }
    }

    private Outcome given(WorkloadId workload, SpiffeId identity, PublicKey key, boolean first) {
        AuthorityState state = authority.state();
        List<X509Certificate> chain = authority.sign(key, identity);
        TrustBundle trust = state.trust();
        if (first) {
            Instant ends = chain.getFirst().getNotAfter().toInstant();
            registry.enrolled(workload, clock.instant(), ends, state.issuer().id(), trust);
        }
        String body = ProxyCodec.encode(new Enrollment(workload, identity, Pem.of(chain), trust));
        return new Outcome(Optional.of(workload), Answer.ok(body));
    }

    static String unknownWorkload(WorkloadId workload) {
        return "There is no Workload %s in the mesh; add its document to the controller's directory."
                .formatted(workload);
    }

    static String otherIdentity(WorkloadId workload, SpiffeId identity, SpiffeId proven) {
        return "The workload %s is %s, but the certificate proves %s; enrol again with a join token for it."
                .formatted(workload, identity, proven);
    }

    private static Outcome refused(WorkloadId workload, int status, String sentence) {
        return new Outcome(Optional.of(workload), Answer.refusal(status, sentence));
    }

    /**
     * What came of a request.
     *
     * @param workload whom it was about, when that is known
     * @param answer to be sent
     */
    record Outcome(Optional<WorkloadId> workload, Answer answer) {
        Outcome {
            requireNonNull(workload, "workload");
            requireNonNull(answer, "answer");
        }
    }
}
