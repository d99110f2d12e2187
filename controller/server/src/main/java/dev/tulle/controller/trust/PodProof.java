package dev.tulle.controller.trust;

import static java.util.Objects.requireNonNull;

import dev.tulle.controller.identity.Attestor.Attestation;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.WorkloadId;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Whether what the API server says of a token, and of a pod, proves a workload. Pure.
 *
 * <p>The identity is that of the service account in the token's user name; the pod is the one the token is bound to. Both must agree with
 * the pod that is there now, and with what the caller says. Source: Kubernetes, TokenReview v1 and the claims of bound service account
 * tokens.
 */
final class PodProof {
    /** For whom tokens must be made out. */
    static final String AUDIENCE = "tulle.dev";

    private static final String POD_NAME = "authentication.kubernetes.io/pod-name";
    private static final String POD_UID = "authentication.kubernetes.io/pod-uid";
    private static final Pattern SERVICE_ACCOUNT = Pattern.compile("system:serviceaccount:([^:]+):([^:]+)");
    private static final Set<String> ENDED = Set.of("Succeeded", "Failed");
    private static final int MAX_QUOTED = 300;
    private static final String CURE =
            "the token is the one that injection mounts, a projected service account token with audience " + AUDIENCE;

    private PodProof() {}

    /**
     * What a TokenReview came to.
     *
     * @param audiences of {@link #AUDIENCE} those the token is for
     * @param extra further facts about the user
     * @param error why it is not authenticated
     */
    record Review(
            boolean authenticated, List<String> audiences, String user, Map<String, List<String>> extra, String error) {
        Review {
            audiences = List.copyOf(audiences);
            requireNonNull(user, "user");
            extra = Map.copyOf(extra);
            requireNonNull(error, "error");
        }
    }

    /** What is known of a pod. */
    record Pod(WorkloadId id, String uid, String serviceAccount, String phase) {
        Pod {
            requireNonNull(id, "id");
            requireNonNull(uid, "uid");
            requireNonNull(serviceAccount, "serviceAccount");
            requireNonNull(phase, "phase");
        }
    }

    /** What a token claims, before the pod was looked at. */
    sealed interface Claim {
        /** To be the proxy of this pod. */
        record Of(WorkloadId workload, String uid, String serviceAccount) implements Claim {}

        /** Nothing that can be believed. */
        record Refused(Attestation.Refused why) implements Claim {}
    }

    /** Whom a reviewed token is bound to, if it is one of ours and agrees with what the caller says. */
    static Claim claim(Review review, Optional<WorkloadId> named) {
        if (!review.authenticated()) {
            return refusedClaim(401, unauthenticated(review.error()));
        }
        if (!review.audiences().contains(AUDIENCE)) {
            return refusedClaim(401, "The token is not for the audience %s; %s.".formatted(AUDIENCE, CURE));
        }
        Matcher account = SERVICE_ACCOUNT.matcher(review.user());
        if (!account.matches()) {
            return refusedClaim(
                    403,
                    "The token is of '%s', which is no service account; %s.".formatted(quoted(review.user()), CURE));
        }
        Optional<String> pod = only(review.extra(), POD_NAME);
        Optional<String> uid = only(review.extra(), POD_UID);
        if (pod.isEmpty() || uid.isEmpty()) {
            return refusedClaim(
                    403, "The token of %s is not bound to a pod; %s.".formatted(quoted(review.user()), CURE));
        }
        String namespace = account.group(1);
        WorkloadId workload = new WorkloadId(namespace, pod.get());
        if (named.isPresent() && !named.get().namespace().equals(namespace)) {
            return refusedClaim(
                    403,
                    "The token is of the namespace %s, it cannot be used for %s in another one; start the proxy with --workload=%s."
                            .formatted(namespace, named.get(), workload));
        }
        if (named.isPresent() && !named.get().equals(workload)) {
            return refusedClaim(
                    403,
                    "The token is bound to the pod %s, not to %s; start the proxy with --workload=%s."
                            .formatted(workload, named.get(), workload));
        }
        return new Claim.Of(workload, uid.get(), account.group(2));
    }

    /** Whether the pod that is there is the one that was claimed. */
    static Attestation attest(Claim.Of claim, Optional<Pod> found, String trustDomain) {
        WorkloadId workload = claim.workload();
        if (found.isEmpty()) {
            return new Attestation.Refused(
                    404, "There is no pod %s any more; only a pod that exists gets a certificate.".formatted(workload));
        }
        Pod pod = found.get();
        if (!pod.uid().equals(claim.uid())) {
            return new Attestation.Refused(
                    403,
                    "This is the proxy of an earlier pod %s (uid %s), another one of that name runs now; only that one gets a certificate."
                            .formatted(workload, quoted(claim.uid())));
        }
        if (!pod.serviceAccount().equals(claim.serviceAccount())) {
            return new Attestation.Refused(
                    403,
                    "The pod %s runs as the service account %s, not as %s."
                            .formatted(workload, pod.serviceAccount(), quoted(claim.serviceAccount())));
        }
        if (ENDED.contains(pod.phase())) {
            return new Attestation.Refused(
                    403,
                    "The pod %s has ended (%s); only a pod that runs gets a certificate."
                            .formatted(workload, pod.phase().toLowerCase(Locale.ROOT)));
        }
        return new Attestation.Proven(
                workload,
                Optional.of(new SpiffeId(trustDomain, workload.namespace(), pod.serviceAccount())),
                pod.uid());
    }

    private static String unauthenticated(String error) {
        String lower = error.toLowerCase(Locale.ROOT);
        String why = quoted(error.isBlank() ? "no reason given" : error);
        if (lower.contains("audience")) {
            return "The token is not for the audience %s (%s); %s.".formatted(AUDIENCE, why, CURE);
        }
        if (lower.contains("expired")) {
            return "The token has expired (%s); the kubelet renews it in its file, read it from there each time."
                    .formatted(why);
        }
        if (lower.contains("invalidated") || lower.contains("not found") || lower.contains("deleted")) {
            return "The token's pod or service account is gone (%s); only a pod that exists gets a certificate."
                    .formatted(why);
        }
        return "The API server does not accept the token (%s); %s.".formatted(why, CURE);
    }

    private static Claim refusedClaim(int status, String sentence) {
        return new Claim.Refused(new Attestation.Refused(status, sentence));
    }

    private static Optional<String> only(Map<String, List<String>> extra, String key) {
        List<String> values = extra.getOrDefault(key, List.of());
        return values.size() == 1
                        && !values.getFirst().isBlank()
                        && !values.getFirst().contains("/")
                ? Optional.of(values.getFirst())
                : Optional.empty();
    }

    /** One line, bounded: what others wrote stands in our sentence. */
    private static String quoted(String text) {
        String line = text.replaceAll("\\p{Cntrl}", " ");
        return line.length() <= MAX_QUOTED ? line : line.substring(0, MAX_QUOTED) + "...";
    }
}
