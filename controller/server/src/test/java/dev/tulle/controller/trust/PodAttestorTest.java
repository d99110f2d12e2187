package dev.tulle.controller.trust;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tulle.controller.identity.Attestor.Attestation;
import dev.tulle.controller.identity.PeerVerifier.Judgement;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.WorkloadId;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.authentication.TokenRequestBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Only a real API server makes and reviews tokens; without one these tests are skipped. */
@Timeout(120)
class PodAttestorTest {
    private static final String NAMESPACE = "tulle-test-plain";
    private static final WorkloadId POD = new WorkloadId(NAMESPACE, "enrols");

    private ApiServer server;
    private KubernetesClient client;
    private PodAttestor attestor;

    @BeforeEach
    void start() throws InterruptedException {
        server = ApiServer.empty();
        client = server.client();
        attestor = new PodAttestor(client, () -> "cluster.local", Clock.systemUTC());
        if (ApiServer.isReal()) {
            server.namespace(NAMESPACE);
            client.serviceAccounts()
                    .inNamespace(NAMESPACE)
                    .withName("default")
                    .waitUntilCondition(account -> account != null, 20, TimeUnit.SECONDS);
            gone();
        }
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void whatIsNoServiceAccountTokenIsRefusedWithoutAsking() {
        for (String token : List.of("", "tulle1.abc.def/", "hello", "a.b.c\n", "x".repeat(20_000))) {
            assertThat(attestor.first(token, Optional.empty(), "10.0.0.1"))
                    .isInstanceOfSatisfying(Attestation.Refused.class, why -> {
                        assertThat(why.status()).isEqualTo(401);
                        assertThat(why.sentence()).contains("not a service account token");
                    });
        }
    }

    @Test
    void aCertificateThatNamesNoPodIsNotRenewed() {
        Judgement.Proven holder = new Judgement.Proven(
                new SpiffeId("cluster.local", NAMESPACE, "default"),
                "",
                Clock.systemUTC().instant(),
                "");
        refused(attestor.next(POD, holder), 403, "was not made for the pod");
    }

    @Test
    void provesThePodOfARealTokenAndNoOther() throws Exception {
        assumeTrue(ApiServer.isReal());
        Pod pod = pod();
        String token = token(pod, "tulle.dev", 3600);
        String uid = pod.getMetadata().getUid();
        SpiffeId identity = new SpiffeId("cluster.local", NAMESPACE, "default");
        assertThat(first(token, POD)).isEqualTo(new Attestation.Proven(POD, Optional.of(identity), uid));
        refused(first(token, new WorkloadId(NAMESPACE, "other")), 403, "bound to the pod");
        refused(first(token, new WorkloadId("elsewhere", "enrols")), 403, "of the namespace");
        refused(first(token(pod, "somebody-else", 3600), POD), 401, "not for the audience tulle.dev");
        refused(first(token.substring(0, token.length() - 4) + "AAAA", POD), 401, "does not accept the token");
        refused(first(unbound(), POD), 403, "not bound to a pod");
        // Many at once are no slower than the API server
        ExecutorService threads = Executors.newFixedThreadPool(20);
        try {
            long begun = System.nanoTime();
            List<Future<Attestation>> asked = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                asked.add(threads.submit(() -> first(token, POD)));
            }
            for (Future<Attestation> one : asked) {
                assertThat(one.get(60, TimeUnit.SECONDS)).isInstanceOf(Attestation.Proven.class);
            }
            assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(30));
        } finally {
            threads.shutdownNow();
        }
        // A pod renews while it is there, an earlier one of that name and one that is gone do not
        Judgement.Proven holder =
                new Judgement.Proven(identity, uid, Clock.systemUTC().instant(), "");
        assertThat(attestor.next(POD, holder)).isInstanceOf(Attestation.Proven.class);
        gone();
        refused(attestor.next(POD, holder), 404, "no pod");
        // An API server may believe the token for some seconds more; the look at the pod does not.
        assertThat(first(token, POD))
                .isInstanceOfSatisfying(
                        Attestation.Refused.class,
                        why -> assertThat(why.status()).isIn(401, 404));
        Pod again = pod();
        assertThat(again.getMetadata().getUid()).isNotEqualTo(uid);
        refused(attestor.next(POD, holder), 403, "an earlier pod");
    }

    private Attestation first(String token, WorkloadId named) {
        return attestor.first(token, Optional.of(named), "10.0.0.1");
    }

    private static void refused(Attestation attestation, int status, String because) {
        assertThat(attestation).isInstanceOfSatisfying(Attestation.Refused.class, why -> {
            assertThat(why.status()).as(why.sentence()).isEqualTo(status);
            assertThat(why.sentence()).contains(because);
        });
    }

    private Pod pod() {
        return client.resource(new PodBuilder()
                        .withNewMetadata()
                        .withName(POD.name())
                        .withNamespace(NAMESPACE)
                        .endMetadata()
                        .withNewSpec()
                        .withNodeName("nowhere")
                        .addNewContainer()
                        .withName("app")
                        .withImage("none")
                        .endContainer()
                        .endSpec()
                        .build())
                .create();
    }

    private void gone() {
        client.pods()
                .inNamespace(NAMESPACE)
                .withName(POD.name())
                .withGracePeriod(0)
                .delete();
        client.pods()
                .inNamespace(NAMESPACE)
                .withName(POD.name())
                .waitUntilCondition(pod -> pod == null, 30, TimeUnit.SECONDS);
    }

    private String token(Pod pod, String audience, long seconds) {
        return client.serviceAccounts()
                .inNamespace(NAMESPACE)
                .withName("default")
                .tokenRequest(new TokenRequestBuilder()
                        .withNewSpec()
                        .withAudiences(audience)
                        .withExpirationSeconds(seconds)
                        .withNewBoundObjectRef(
                                "v1",
                                "Pod",
                                pod.getMetadata().getName(),
                                pod.getMetadata().getUid())
                        .endSpec()
                        .build())
                .getStatus()
                .getToken();
    }

    private String unbound() {
        return client.serviceAccounts()
                .inNamespace(NAMESPACE)
                .withName("default")
                .tokenRequest(new TokenRequestBuilder()
                        .withNewSpec()
                        .withAudiences("tulle.dev")
                        .withExpirationSeconds(3600L)
                        .endSpec()
                        .build())
                .getStatus()
                .getToken();
    }
}
