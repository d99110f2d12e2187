package dev.tulle.controller.discovery;

import static java.util.Objects.requireNonNull;

import dev.tulle.controller.identity.Attestor;
import dev.tulle.controller.identity.Attestor.Attestation;
import dev.tulle.controller.identity.AuthorityState;
import dev.tulle.controller.identity.CertificateAuthority;
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

/** Gives certificates to proxies that prove who they are, by a token or by the certificate they hold. Safe for all threads. */
final class Enroller {
    private final CertificateAuthority authority;
    private final Attestor attestor;
    private final Supplier<Optional<Snapshot>> snapshot;
    private final ProxyRegistry registry;
    private final RateLimit rate;
    private final Clock clock;

    Enroller(
            CertificateAuthority authority,
            Attestor attestor,
            Supplier<Optional<Snapshot>> snapshot,
            ProxyRegistry registry,
            DiscoveryLimits limits,
            Clock clock) {
        this.authority = authority;
        this.attestor = attestor;
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
     * @param from address the proxy calls from
     * @param request PKCS#10, PEM
     */
    Outcome enroll(Optional<String> authorization, Optional<WorkloadId> named, String from, String request) {
        Optional<String> token = authorization
                .filter(value -> value.regionMatches(true, 0, "Bearer ", 0, 7))
                .map(value -> value.substring(7));
        if (token.isEmpty()) {
            return new Outcome(
                    Optional.empty(),
                    Answer.refusal(
                            401,
                            "Enrolment needs a join token, or in a cluster the pod's service account token: 'Authorization: Bearer <token>'."));
        }
        return switch (attestor.first(token.get(), named, from)) {
            case Attestation.Refused(int status, String sentence) ->
                new Outcome(named, Answer.refusal(status, sentence));
            case Attestation.Proven proven -> give(proven, Optional.empty(), request);
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
            case Judgement.Proven holder ->
                switch (attestor.next(named.get(), holder)) {
                    case Attestation.Refused(int status, String sentence) -> refused(named.get(), status, sentence);
                    case Attestation.Proven proven -> give(proven, Optional.of(holder.identity()), request);
                };
        };
    }

    private Outcome give(Attestation.Proven attested, Optional<SpiffeId> held, String request) {
        WorkloadId workload = attested.workload();
        Optional<Snapshot> mesh = snapshot.get();
        if (attested.identity().isEmpty() && mesh.isEmpty()) {
            return new Outcome(
                    Optional.of(workload), Answer.refusal(503, "The controller is still reading the mesh; try again."));
        }
        Optional<SpiffeId> identity = attested.identity()
                .or(() -> mesh.flatMap(one -> one.workload(workload)).map(WorkloadConfig::identity));
        if (identity.isEmpty()) {
            return refused(workload, 404, unknownWorkload(workload));
        }
        if (held.isPresent() && !held.get().equals(identity.get())) {
            return refused(workload, 403, otherIdentity(workload, identity.get(), held.get()));
        }
        if (!rate.admit(workload, clock.instant())) {
            return refused(
                    workload,
                    429,
                    "The workload %s asks for certificates too often; wait a minute.".formatted(workload));
        }
        Instant end = authority.state().issuer().notAfter();
        if (!clock.instant().isBefore(end)) {
            return refused(
                    workload,
                    503,
                    "The issuer ended at %s, nothing can be signed; renew what Secret tulle-system/tulle-issuer holds, or delete it."
                            .formatted(end));
        }
        try {
            PublicKey key = SigningRequest.provenKey(request);
            return given(workload, identity.get(), attested.instance(), key, held.isEmpty());
        } catch (RefusedRequest e) {
            return refused(workload, 400, String.valueOf(e.getMessage()));
        }
    }

    private Outcome given(WorkloadId workload, SpiffeId identity, String instance, PublicKey key, boolean first) {
        AuthorityState state = authority.state();
        List<X509Certificate> chain = authority.sign(key, identity, instance);
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
