package dev.tulle.controller.trust;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.controller.identity.Attestor.Attestation;
import dev.tulle.controller.trust.PodProof.Claim;
import dev.tulle.controller.trust.PodProof.Pod;
import dev.tulle.controller.trust.PodProof.Review;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.WorkloadId;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PodProofTest {
    private static final WorkloadId WEB = new WorkloadId("shop", "web-1");
    private static final Claim.Of CLAIM = new Claim.Of(WEB, "uid-1", "web");

    @Test
    void believesATokenThatIsBoundToThePodItIsUsedFor() {
        assertThat(PodProof.claim(good(), Optional.of(WEB))).isEqualTo(CLAIM);
        assertThat(PodProof.claim(good(), Optional.empty())).isEqualTo(CLAIM);
        assertThat(attest(new Pod(WEB, "uid-1", "web", "Running")))
                .isEqualTo(new Attestation.Proven(
                        WEB, Optional.of(new SpiffeId("cluster.local", "shop", "web")), "uid-1"));
        assertThat(attest(new Pod(WEB, "uid-1", "web", "Pending"))).isInstanceOf(Attestation.Proven.class);
    }

    @Test
    void refusesATokenThatTheApiServerRefusesAndSaysTheCure() {
        refused(
                unauthenticated("invalid bearer token, token audiences [\"x\"] is invalid"),
                401,
                "not for the audience");
        refused(unauthenticated("invalid bearer token, service account token has expired"), 401, "has expired");
        refused(unauthenticated("service account token has been invalidated"), 401, "is gone");
        refused(unauthenticated("line one\nline two"), 401, "does not accept the token (line one line two)");
        refused(unauthenticated("x".repeat(5000)), 401, "does not accept");
        refused(unauthenticated(""), 401, "no reason given");
    }

    @Test
    void refusesATokenThatIsNotOurs() {
        refused(
                review(List.of(), "system:serviceaccount:shop:web", extra("web-1", "uid-1")),
                401,
                "audience tulle.dev");
        refused(
                review(List.of("other"), "system:serviceaccount:shop:web", extra("web-1", "uid-1")),
                401,
                "audience tulle.dev");
        refused(review(List.of("tulle.dev"), "alice", extra("web-1", "uid-1")), 403, "no service account");
        refused(
                review(List.of("tulle.dev"), "system:serviceaccount:shop:web:x", extra("web-1", "u")),
                403,
                "no service");
        refused(review(List.of("tulle.dev"), "system:serviceaccount:shop:web", Map.of()), 403, "not bound to a pod");
        Map<String, List<String>> two = new HashMap<>(extra("web-1", "uid-1"));
        two.put("authentication.kubernetes.io/pod-name", List.of("web-1", "web-2"));
        refused(review(List.of("tulle.dev"), "system:serviceaccount:shop:web", two), 403, "not bound to a pod");
        refused(
                review(List.of("tulle.dev"), "system:serviceaccount:shop:web", extra("a/b", "uid-1")),
                403,
                "not bound to a pod");
    }

    @Test
    void refusesAWorkloadThatIsNotThePodOfTheToken() {
        assertThat(refusal(PodProof.claim(good(), Optional.of(new WorkloadId("shop", "web-2")))))
                .satisfies(
                        why -> assertThat(why.sentence()).contains("bound to the pod shop/web-1, not to shop/web-2"));
        assertThat(refusal(PodProof.claim(good(), Optional.of(new WorkloadId("bank", "web-1")))))
                .satisfies(why -> assertThat(why.sentence()).contains("of the namespace shop"));
    }

    @Test
    void refusesAPodThatIsNotTheOneOfTheToken() {
        assertThat(PodProof.attest(CLAIM, Optional.empty(), "cluster.local"))
                .isInstanceOfSatisfying(Attestation.Refused.class, why -> {
                    assertThat(why.status()).isEqualTo(404);
                    assertThat(why.sentence()).contains("no pod shop/web-1 any more");
                });
        refusedPod(new Pod(WEB, "uid-2", "web", "Running"), "an earlier pod shop/web-1");
        refusedPod(new Pod(WEB, "uid-1", "admin", "Running"), "runs as the service account admin, not as web");
        refusedPod(new Pod(WEB, "uid-1", "web", "Succeeded"), "has ended (succeeded)");
        refusedPod(new Pod(WEB, "uid-1", "web", "Failed"), "has ended (failed)");
    }

    private static void refusedPod(Pod pod, String because) {
        assertThat(attest(pod)).isInstanceOfSatisfying(Attestation.Refused.class, why -> {
            assertThat(why.status()).isEqualTo(403);
            assertThat(why.sentence()).contains(because);
        });
    }

    private static Attestation attest(Pod pod) {
        return PodProof.attest(CLAIM, Optional.of(pod), "cluster.local");
    }

    private static void refused(Review review, int status, String because) {
        Attestation.Refused why = refusal(PodProof.claim(review, Optional.of(WEB)));
        assertThat(why.status()).as(why.sentence()).isEqualTo(status);
        assertThat(why.sentence()).contains(because).doesNotContain("\n").hasSizeLessThan(700);
    }

    private static Attestation.Refused refusal(Claim claim) {
        assertThat(claim).isInstanceOf(Claim.Refused.class);
        return ((Claim.Refused) claim).why();
    }

    private static Review good() {
        return review(List.of("tulle.dev"), "system:serviceaccount:shop:web", extra("web-1", "uid-1"));
    }

    private static Review unauthenticated(String error) {
        return new Review(false, List.of(), "", Map.of(), error);
    }

    private static Review review(List<String> audiences, String user, Map<String, List<String>> extra) {
        return new Review(true, audiences, user, extra, "");
    }

    private static Map<String, List<String>> extra(String pod, String uid) {
        return Map.of(
                "authentication.kubernetes.io/pod-name", List.of(pod),
                "authentication.kubernetes.io/pod-uid", List.of(uid));
    }
}
