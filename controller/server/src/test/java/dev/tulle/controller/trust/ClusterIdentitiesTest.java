package dev.tulle.controller.trust;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tulle.controller.identity.Authorities;
import dev.tulle.controller.identity.CertificateAuthority;
import dev.tulle.controller.identity.Issuers;
import dev.tulle.controller.identity.Issuers.Authority;
import dev.tulle.controller.identity.Issuers.Form;
import dev.tulle.proxy.model.ProxyCodec;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(300)
class ClusterIdentitiesTest {
    private ApiServer server;
    private KubernetesClient client;
    private final List<ClusterIdentities> opened = new ArrayList<>();
    private final AtomicBoolean mayWrite = new AtomicBoolean(true);

    @BeforeEach
    void start() throws Exception {
        server = ApiServer.empty();
        client = server.client();
        server.namespace("tulle-test-shop", "tulle.dev/inject");
        server.namespace("tulle-test-plain");
    }

    @AfterEach
    void stop() {
        opened.forEach(ClusterIdentities::close);
        for (String name : new String[] {"tulle-test-shop", "tulle-test-plain"}) {
            client.namespaces().withName(name).edit(one -> {
                one.getMetadata().setLabels(null);
                return one;
            });
        }
        server.close();
    }

    @Test
    void everyMeshedNamespaceHasTheTrustBundleAndKeepsIt() throws Exception {
        ClusterIdentities identities = open();
        String bundle = ProxyCodec.encode(identities.authority().trust());
        soon().untilAsserted(() -> {
            assertThat(trust("tulle-test-shop")).contains(bundle);
            assertThat(trust(Owned.NAMESPACE)).contains(bundle);
            assertThat(trust("tulle-test-plain")).isEmpty();
        });
        // Edited, it is corrected
        client.resource(new ConfigMapBuilder(configMap("tulle-test-shop").orElseThrow())
                        .withData(Map.of("trust.json", "{}", "other", "kept by nobody"))
                        .build())
                .update();
        soon().untilAsserted(() -> assertThat(trust("tulle-test-shop")).contains(bundle));
        // Deleted, it is written again
        client.configMaps().inNamespace("tulle-test-shop").withName(Owned.TRUST).delete();
        soon().untilAsserted(() -> assertThat(trust("tulle-test-shop")).contains(bundle));
        // Where it becomes needed it comes, where it is needed no more it goes
        server.namespace("tulle-test-plain", "tulle.dev/inject");
        soon().untilAsserted(() -> assertThat(trust("tulle-test-plain")).contains(bundle));
        client.namespaces().withName("tulle-test-plain").edit(one -> {
            one.getMetadata().getLabels().remove("tulle.dev/inject");
            return one;
        });
        soon().untilAsserted(() -> assertThat(trust("tulle-test-plain")).isEmpty());
        assertThat(trust(Owned.NAMESPACE)).contains(bundle);
    }

    @Test
    void nothingIsSpreadWhileItMayNotBeWritten() throws Exception {
        ClusterIdentities identities = open();
        String bundle = ProxyCodec.encode(identities.authority().trust());
        soon().untilAsserted(() -> assertThat(trust("tulle-test-shop")).contains(bundle));
        mayWrite.set(false);
        client.configMaps().inNamespace("tulle-test-shop").withName(Owned.TRUST).delete();
        Thread.sleep(3 * ClusterIdentities.SPREAD.toMillis());
        assertThat(trust("tulle-test-shop")).isEmpty();
        mayWrite.set(true);
        soon().untilAsserted(() -> assertThat(trust("tulle-test-shop")).contains(bundle));
    }

    @Test
    void aConfigMapOfThatNameThatIsNotOursStaysWhereNothingIsMeshed() throws Exception {
        client.resource(new ConfigMapBuilder()
                        .withNewMetadata()
                        .withName(Owned.TRUST)
                        .withNamespace("tulle-test-plain")
                        .endMetadata()
                        .withData(Map.of("mine", "yes"))
                        .build())
                .create();
        open();
        soon().untilAsserted(() -> assertThat(trust("tulle-test-shop")).isPresent());
        assertThat(configMap("tulle-test-plain").orElseThrow().getData()).containsEntry("mine", "yes");
    }

    @Test
    void aNewRootIsInEveryConfigMapBeforeAnythingIsSignedByIt() throws Exception {
        ClusterIdentities identities = open();
        CertificateAuthority authority = identities.authority();
        soon().untilAsserted(() -> assertThat(trust("tulle-test-shop")).isPresent());
        authority.maintain(1, false);
        assertThat(authority.maintain(2, false)).isTrue();
        assertThat(authority.state().rotation().phase()).isEqualTo("trusting");
        String both = ProxyCodec.encode(authority.trust());
        soon().until(() -> authority.maintain(2, false));
        assertThat(authority.state().rotation().phase()).isEqualTo("signing");
        assertThat(ProxyCodec.decodeTrust(trust("tulle-test-shop").orElseThrow())
                        .anchors())
                .isEqualTo(ProxyCodec.decodeTrust(both).anchors());
        // The old root stays until nodes had the time to renew the files of running pods
        assertThat(authority.maintain(2, false)).isFalse();
    }

    @Test
    void usesTheIssuerThatIsThereFromTheStart() throws Exception {
        Authority root = Issuers.root("root", "secp256r1");
        give(root.signs(Form.authority("issuer", "RSA2048")), root);
        ClusterIdentities identities = open();
        assertThat(identities.authority().state().roots())
                .singleElement()
                .satisfies(one -> assertThat(one.certificate()).isEqualTo(root.certificate()));
        assertThat(identities.authority().sign(Authorities.ecKeys().getPublic(), Authorities.WEB))
                .hasSize(2);
    }

    @Test
    void comesToAnIssuerThatIsGivenAndSaysWhatIsWrongWithABadOne() throws Exception {
        ClusterIdentities identities = open();
        CertificateAuthority authority = identities.authority();
        authority.maintain(1, false);
        // A leaf is no issuer
        Authority root = Issuers.root("root", "secp256r1");
        give(root.signs(Form.authority("issuer", "secp256r1").asLeaf()), root);
        soon().untilAsserted(() -> assertThat(identities.problems()).anySatisfy(problem -> {
            assertThat(problem.object()).isEqualTo("Secret tulle-system/tulle-issuer");
            assertThat(problem.message()).startsWith("tls.crt ").contains("isCA: true");
        }));
        assertThat(authority.maintain(1, false)).isFalse();
        soon().untilAsserted(() -> assertThat(
                        client.v1().events().inNamespace(Owned.NAMESPACE).list().getItems())
                .anySatisfy(event -> assertThat(event.getReason()).isEqualTo("IssuerRefused")));
        // A good one is taken over
        give(root.signs(Form.authority("issuer", "secp256r1")), root);
        soon().until(() -> authority.maintain(1, false));
        assertThat(authority.state().rotation().phase()).isEqualTo("trusting");
        soon().untilAsserted(() -> assertThat(identities.problems()).isEmpty());
    }

    @Test
    void theWebhooksHaveACertificateThatTheApiServerIsTold() throws Exception {
        open();
        soon().untilAsserted(() -> assertThat(WebhookSecret.secret(client).flatMap(WebhookSecret::read))
                .isPresent());
        WebhookKeys keys =
                WebhookSecret.secret(client).flatMap(WebhookSecret::read).orElseThrow();
        // Deleted, the same is written again
        client.secrets().inNamespace(Owned.NAMESPACE).withName(Owned.WEBHOOK).delete();
        soon().untilAsserted(() -> assertThat(WebhookSecret.secret(client).flatMap(WebhookSecret::read))
                .contains(keys));
        // Damaged, it is put right
        client.secrets()
                .inNamespace(Owned.NAMESPACE)
                .withName(Owned.WEBHOOK)
                .edit(one ->
                        new SecretBuilder(one).addToData("tls.key", "aGVsbG8=").build());
        soon().untilAsserted(() -> assertThat(WebhookSecret.secret(client).flatMap(WebhookSecret::read))
                .contains(keys));
    }

    private ClusterIdentities open() throws Exception {
        ClusterIdentities made = ClusterIdentities.start(
                client, Optional.empty(), Duration.ofHours(1), Clock.systemUTC(), mayWrite::get);
        opened.add(made);
        return made;
    }

    private void give(Authority issuer, Authority root) {
        var secret = new SecretBuilder()
                .withNewMetadata()
                .withName(Owned.ISSUER)
                .withNamespace(Owned.NAMESPACE)
                .endMetadata()
                .withType("kubernetes.io/tls")
                .withData(Issuers.secret(issuer, root).entrySet().stream()
                        .collect(Collectors.toMap(
                                Map.Entry::getKey, entry -> Base64.getEncoder().encodeToString(entry.getValue()))))
                .build();
        client.resource(secret).createOr(there -> there.update());
    }

    private Optional<String> trust(String namespace) {
        return configMap(namespace).map(one -> one.getData().get("trust.json"));
    }

    private Optional<ConfigMap> configMap(String namespace) {
        return Optional.ofNullable(
                client.configMaps().inNamespace(namespace).withName(Owned.TRUST).get());
    }

    private static ConditionFactory soon() {
        return await().atMost(Duration.ofSeconds(60)).pollInterval(Duration.ofMillis(100));
    }
}
