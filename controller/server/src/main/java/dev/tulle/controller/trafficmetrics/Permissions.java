package dev.tulle.controller.trafficmetrics;

import static java.util.Objects.requireNonNull;

import dev.tulle.controller.trafficmetrics.Asked.Right;
import dev.tulle.controller.trafficmetrics.FrontProxy.User;
import io.fabric8.kubernetes.api.model.authorization.v1.SubjectAccessReview;
import io.fabric8.kubernetes.api.model.authorization.v1.SubjectAccessReviewBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Whether a user may see what is asked for, as the API server judges by its own roles; remembered for {@link #REMEMBERED}.
 *
 * <p>The API server that forwards a request has judged it already. It is asked once more, as every extension of it does: so whose traffic
 * somebody sees never hangs on how a request came here. Safe for all threads.
 */
final class Permissions {
    /** As long as extension API servers do. */
    static final Duration REMEMBERED = Duration.ofSeconds(10);

    private static final int MOST = 1000;
    /** Who may do anything, by definition of Kubernetes. */
    private static final String MASTERS = "system:masters";

    private final KubernetesClient client;
    private final Clock clock;
    private final Map<Question, Verdict> judged = new LinkedHashMap<>();

    Permissions(KubernetesClient client, Clock clock) {
        this.client = requireNonNull(client, "client");
        this.clock = requireNonNull(clock, "clock");
    }

    private record Question(User user, Right right) {}

    private record Verdict(boolean allowed, Instant until) {}

    /**
     * Asks the API server, if need be.
     *
     * @throws KubernetesClientException when that cannot say
     */
    boolean allows(User user, Right right) {
        if (user.groups().contains(MASTERS)) {
            return true;
        }
        Question question = new Question(user, right);
        synchronized (judged) {
            Instant now = clock.instant();
            judged.values().removeIf(verdict -> !now.isBefore(verdict.until()));
            Verdict known = judged.get(question);
            if (known != null) {
                return known.allowed();
            }
        }
        SubjectAccessReview answer = client.authorization()
                .v1()
                .subjectAccessReview()
                .create(new SubjectAccessReviewBuilder()
                        .withNewSpec()
                        .withUser(user.name())
                        .withUid(user.uid().isEmpty() ? null : user.uid())
                        .withGroups(user.groups())
                        .withExtra(user.extra())
                        .withNewResourceAttributes()
                        .withGroup(Asked.GROUP)
                        .withVersion(Asked.VERSION)
                        .withVerb(right.verb())
                        .withResource(right.resource())
                        .withSubresource(right.subresource())
                        .withNamespace(right.namespace())
                        .withName(right.name())
                        .endResourceAttributes()
                        .endSpec()
                        .build());
        boolean allowed = answer.getStatus() != null
                && Boolean.TRUE.equals(answer.getStatus().getAllowed());
        synchronized (judged) {
            if (judged.size() < MOST) {
                judged.put(question, new Verdict(allowed, clock.instant().plus(REMEMBERED)));
            }
        }
        return allowed;
    }
}
