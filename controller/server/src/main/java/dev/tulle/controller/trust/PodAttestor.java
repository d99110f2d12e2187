package dev.tulle.controller.trust;

import dev.tulle.controller.identity.Attestor;
import dev.tulle.controller.identity.PeerVerifier;
import dev.tulle.controller.trust.PodProof.Claim;
import dev.tulle.controller.trust.PodProof.Review;
import dev.tulle.proxy.model.WorkloadId;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.authentication.TokenReview;
import io.fabric8.kubernetes.api.model.authentication.TokenReviewBuilder;
import io.fabric8.kubernetes.api.model.authentication.TokenReviewStatus;
import io.fabric8.kubernetes.api.model.authentication.UserInfo;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.RequestConfigBuilder;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Believes projected service account tokens that the API server believes, and pods that it knows.
 *
 * <p>A first certificate takes one TokenReview and one look at the pod, the next ones a look at the pod: one that is gone gets no more, and
 * its identity ends with its last leaf. The API server is asked by at most {@link #ASKERS} at once, each question is waited for {@link
 * #PATIENCE}, and one address may ask {@link #PER_MINUTE} times a minute. No token is ever logged. Safe for all threads.
 */
public final class PodAttestor implements Attestor {
    /** Questions to the API server at once. */
    static final int ASKERS = 16;

    /** How long one question may take, and how long it may wait for its turn. */
    static final Duration PATIENCE = Duration.ofSeconds(5);

    /** Reviews one address may ask for in a minute; behind one address there may be all pods of a node. */
    static final int PER_MINUTE = 600;

    /** Addresses that are counted at once; beyond, they share one count. */
    private static final int MAX_ADDRESSES = 10_000;

    private static final int MAX_TOKEN = 16 << 10;
    private static final Pattern TOKEN = Pattern.compile("[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+");
    private static final Logger LOG = Logger.getLogger(PodAttestor.class);

    private final KubernetesClient client;
    private final Supplier<String> trustDomain;
    private final Clock clock;
    private final Semaphore askers = new Semaphore(ASKERS);
    private final Map<String, Integer> asked = new HashMap<>();
    private Instant countedFrom = Instant.EPOCH;

    /** @param trustDomain of the identities */
    public PodAttestor(KubernetesClient client, Supplier<String> trustDomain, Clock clock) {
        this.client = client.newClient(new RequestConfigBuilder()
                        .withRequestTimeout((int) PATIENCE.toMillis())
                        .withRequestRetryBackoffLimit(1)
                        .build())
                .adapt(KubernetesClient.class);
        this.trustDomain = trustDomain;
        this.clock = clock;
    }

    @Override
    public Attestation first(String token, Optional<WorkloadId> named, String from) {
        if (token.length() > MAX_TOKEN || !TOKEN.matcher(token).matches()) {
            return new Attestation.Refused(
                    401,
                    "That is not a service account token; in a cluster proxies enrol with the projected token of audience %s that injection mounts."
                            .formatted(PodProof.AUDIENCE));
        }
        if (!admit(from)) {
            return new Attestation.Refused(
                    429, "The address %s asks for certificates too often; wait a minute.".formatted(from));
        }
        return asking(() -> switch (PodProof.claim(review(token), named)) {
            case Claim.Refused(Attestation.Refused why) -> why;
            case Claim.Of claim -> PodProof.attest(claim, pod(claim.workload()), trustDomain.get());
        });
    }

    @Override
    public Attestation next(WorkloadId workload, PeerVerifier.Judgement.Proven holder) {
        if (!holder.identity().namespace().equals(workload.namespace())
                || holder.instance().isEmpty()) {
            return new Attestation.Refused(
                    403,
                    "The certificate of %s was not made for the pod %s; enrol with the pod's token."
                            .formatted(holder.identity(), workload));
        }
        Claim.Of claim =
                new Claim.Of(workload, holder.instance(), holder.identity().serviceAccount());
        return asking(() -> PodProof.attest(claim, pod(workload), trustDomain.get()));
    }

    private Attestation asking(Supplier<Attestation> question) {
        try {
            if (!askers.tryAcquire(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
                return new Attestation.Refused(
                        503, "Too many proxies enrol at once for the API server's pace; try again.");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new Attestation.Refused(503, "The controller is stopping; try again.");
        }
        try {
            return question.get();
        } catch (KubernetesClientException e) {
            // The message may quote what was sent; the status of an answer never does.
            LOG.warnf(
                    "API server not asked code=%d cause=%s",
                    e.getCode(),
                    e.getStatus() == null
                            ? e.getClass().getSimpleName()
                            : String.valueOf(e.getStatus().getReason()));
            return new Attestation.Refused(
                    503,
                    e.getCode() == Owned.FORBIDDEN
                            ? "The controller may not ask the API server about tokens and pods: apply install/tulle.yaml again, it holds the ClusterRole that allows it."
                            : "The API server did not say in time whether the token and the pod are good; try again.");
        } finally {
            askers.release();
        }
    }

    private Review review(String token) {
        TokenReview answer = client.tokenReviews()
                .create(new TokenReviewBuilder()
                        .withNewSpec()
                        .withToken(token)
                        .withAudiences(PodProof.AUDIENCE)
                        .endSpec()
                        .build());
        TokenReviewStatus status = Objects.requireNonNullElseGet(answer.getStatus(), TokenReviewStatus::new);
        UserInfo user = Objects.requireNonNullElseGet(status.getUser(), UserInfo::new);
        return new Review(
                Boolean.TRUE.equals(status.getAuthenticated()),
                Objects.requireNonNullElse(status.getAudiences(), List.of()),
                Objects.requireNonNullElse(user.getUsername(), ""),
                Objects.requireNonNullElse(user.getExtra(), Map.of()),
                Objects.requireNonNullElse(status.getError(), ""));
    }

    private Optional<PodProof.Pod> pod(WorkloadId workload) {
        @Nullable Pod found = client.pods()
                .inNamespace(workload.namespace())
                .withName(workload.name())
                .get();
        return Optional.ofNullable(found)
                .map(pod -> new PodProof.Pod(
                        workload,
                        pod.getMetadata().getUid(),
                        Objects.requireNonNullElse(pod.getSpec().getServiceAccountName(), "default"),
                        pod.getStatus() == null
                                ? ""
                                : Objects.requireNonNullElse(pod.getStatus().getPhase(), "")));
    }

    /** Whether this address may ask once more in the present minute. */
    private synchronized boolean admit(String from) {
        Instant now = clock.instant();
        if (!now.isBefore(countedFrom.plus(Duration.ofMinutes(1)))) {
            asked.clear();
            countedFrom = now;
        }
        String key = asked.size() < MAX_ADDRESSES || asked.containsKey(from) ? from : "";
        return asked.merge(key, 1, Integer::sum) <= PER_MINUTE;
    }
}
