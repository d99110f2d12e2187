package dev.tulle.controller.identity;

import static java.util.Objects.requireNonNull;

import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.WorkloadId;
import java.util.Optional;

/** Says whom a proxy proves to be: by a token the first time, and that it still is that one each time after. Safe for all threads. */
public interface Attestor {
    /**
     * Judges who wants a first certificate. May wait some seconds, never on an event loop.
     *
     * @param token what came after {@code Bearer}
     * @param named workload the caller believes to be, when it says so
     * @param from address it called from
     */
    Attestation first(String token, Optional<WorkloadId> named, String from);

    /**
     * Judges who wants the next one. May wait likewise.
     *
     * @param holder whom its present certificate proves
     */
    Attestation next(WorkloadId workload, PeerVerifier.Judgement.Proven holder);

    /** What came of it. */
    sealed interface Attestation {
        /**
         * It is who it says.
         *
         * @param identity to be signed; absent: what the mesh says of the workload
         * @param instance uid of the pod; empty where there are no pods
         */
        record Proven(WorkloadId workload, Optional<SpiffeId> identity, String instance) implements Attestation {
            public Proven {
                requireNonNull(workload, "workload");
                requireNonNull(identity, "identity");
                requireNonNull(instance, "instance");
            }
        }

        /**
         * It is not, or that cannot be said now.
         *
         * @param status HTTP status; 503 where asking again may help
         * @param sentence why, with the cure
         */
        record Refused(int status, String sentence) implements Attestation {
            public Refused {
                requireNonNull(sentence, "sentence");
            }
        }
    }
}
