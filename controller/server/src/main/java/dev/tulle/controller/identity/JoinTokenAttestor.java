package dev.tulle.controller.identity;

import dev.tulle.proxy.model.WorkloadId;
import java.time.Clock;
import java.util.Optional;

/** Believes join tokens of this authority, and every certificate it signed: the attestor of a mesh without Kubernetes. */
public final class JoinTokenAttestor implements Attestor {
    private final CertificateAuthority authority;
    private final Clock clock;

    public JoinTokenAttestor(CertificateAuthority authority, Clock clock) {
        this.authority = authority;
        this.clock = clock;
    }

    @Override
    public Attestation first(String token, Optional<WorkloadId> named, String from) {
        return switch (JoinTokens.verify(authority.state(), token, clock.instant())) {
            case JoinTokens.Verification.Refused(String sentence) -> new Attestation.Refused(401, sentence);
            case JoinTokens.Verification.Valid(WorkloadId workload)
            when !named.orElse(workload).equals(workload) ->
                new Attestation.Refused(
                        403,
                        "The join token is for the workload %s, not for %s; make one with 'tulle token %s'."
                                .formatted(workload, named.orElse(workload), named.orElse(workload)));
            case JoinTokens.Verification.Valid(WorkloadId workload) ->
                new Attestation.Proven(workload, Optional.empty(), "");
        };
    }

    @Override
    public Attestation next(WorkloadId workload, PeerVerifier.Judgement.Proven holder) {
        return new Attestation.Proven(workload, Optional.empty(), "");
    }
}
