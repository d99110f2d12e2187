package dev.tulle.controller.trust;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tulle.controller.identity.Authorities;
import dev.tulle.controller.identity.Authorities.HandClock;
import dev.tulle.controller.identity.AuthorityFile;
import dev.tulle.controller.identity.AuthorityState;
import dev.tulle.controller.identity.CertificateAuthority;
import dev.tulle.controller.identity.UnusableState;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class AuthoritySecretTest {
    private static final int RACES = ApiServer.isReal() ? 50 : 10;

    private final HandClock clock = HandClock.atNow();
    private final AtomicBoolean mayWrite = new AtomicBoolean(true);

    @TempDir
    Path directory;

    private ApiServer server;
    private KubernetesClient client;

    @BeforeEach
    void start() {
        server = ApiServer.empty();
        client = server.client();
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void nothingMovesOnWhileItMayNotBeWritten() throws Exception {
        CertificateAuthority authority = open();
        authority.maintain(1, false);
        AuthorityState before = authority.state();
        mayWrite.set(false);
        assertThatThrownBy(() -> authority.maintain(2, false))
                .isInstanceOf(UnusableState.class)
                .hasMessageContaining("Lease");
        assertThat(authority.state()).isEqualTo(before);
        assertThat(AuthorityFile.decode(document())).isEqualTo(before);
        mayWrite.set(true);
        assertThat(authority.maintain(2, false)).isTrue();
    }

    @Test
    void controllersThatStartAtOnceHaveOneRoot() throws Exception {
        int controllers = 4;
        ExecutorService threads = Executors.newFixedThreadPool(controllers);
        try (KubernetesClient another = server.another()) {
            for (int race = 0; race < RACES; race++) {
                CyclicBarrier start = new CyclicBarrier(controllers);
                List<Future<AuthorityState>> opened = new ArrayList<>();
                for (int i = 0; i < controllers; i++) {
                    KubernetesClient its = i % 2 == 0 ? client : another;
                    opened.add(threads.submit(() -> {
                        start.await(20, TimeUnit.SECONDS);
                        return open(its).state();
                    }));
                }
                AuthorityState first = opened.getFirst().get(30, TimeUnit.SECONDS);
                for (Future<AuthorityState> state : opened) {
                    assertThat(state.get(30, TimeUnit.SECONDS)).isEqualTo(first);
                }
                client.secrets()
                        .inNamespace(Owned.NAMESPACE)
                        .withName(Owned.AUTHORITY)
                        .delete();
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void holdsTheDocumentOfAStateDirectoryAndComesBackWithIt() throws Exception {
        AuthorityState made = open().state();
        assertThat(secret().getType()).isEqualTo("Opaque");
        assertThat(AuthorityFile.decode(document())).isEqualTo(made);
        assertThat(open().state()).isEqualTo(made);
    }

    @Test
    void twoThatBelieveToLeadMakeOneNewRootBetweenThem() throws Exception {
        CertificateAuthority one = open();
        one.maintain(1, false);
        CertificateAuthority other = open();
        // When both begin a rotation
        one.maintain(2, true);
        assertThat(other.maintain(2, true)).isTrue();
        // Then the second takes over what the first wrote
        assertThat(other.state()).isEqualTo(one.state());
        assertThat(other.state().roots()).hasSize(2);
        // And follows without being asked to do anything
        one.maintain(2, false);
        assertThat(other.look()).isTrue();
        assertThat(other.state()).isEqualTo(one.state());
    }

    @Test
    void aLeaderThatFollowsGoesOnWithTheStepThatWasWritten() throws Exception {
        CertificateAuthority leader = open();
        leader.maintain(1, false);
        AuthorityState settled = leader.state();
        for (String phase : List.of("trusting", "signing", "settled")) {
            // When the leader is killed right after the step was written, another one opens what is there
            assertThat(leader.maintain(2, false)).isTrue();
            AuthorityState written = leader.state();
            leader = open();
            assertThat(leader.state()).isEqualTo(written);
            assertThat(leader.state().rotation().phase()).isEqualTo(phase);
        }
        assertThat(leader.state().roots()).hasSize(1).doesNotContainAnyElementsOf(settled.roots());
        assertThat(leader.maintain(2, false)).isFalse();
    }

    @Test
    void deletedWhileTheControllerRunsItIsWrittenAgainFromMemory() throws Exception {
        CertificateAuthority authority = open();
        AuthorityState before = authority.state();
        delete();
        assertThat(authority.look()).isFalse();
        assertThat(AuthorityFile.decode(document())).isEqualTo(before);
        assertThat(client.v1().events().inNamespace(Owned.NAMESPACE).list().getItems())
                .anySatisfy(event -> {
                    assertThat(event.getReason()).isEqualTo("AuthorityRestored");
                    assertThat(event.getInvolvedObject().getName()).isEqualTo(Owned.AUTHORITY);
                });
        // Also when a step of a rotation is the first to notice
        authority.maintain(1, false);
        delete();
        assertThat(authority.maintain(2, false)).isTrue();
        assertThat(AuthorityFile.decode(document())).isEqualTo(authority.state());
        assertThat(authority.state().isAkinTo(before)).isTrue();
    }

    @Test
    void deletedWhileNoControllerRanItIsNotMadeAnewSilently() throws Exception {
        open();
        client.resource(new ConfigMapBuilder()
                        .withNewMetadata()
                        .withName(Owned.TRUST)
                        .withNamespace(Owned.NAMESPACE)
                        .endMetadata()
                        .build())
                .create();
        delete();
        assertThatThrownBy(this::open)
                .isInstanceOf(UnusableState.class)
                .hasMessageContaining("Secret tulle-system/tulle-authority is gone")
                .hasMessageContaining("Restore the Secret from a backup")
                .hasMessageContaining("restart every meshed pod");
        assertThat(secretIfAny()).isEmpty();
        // When somebody means it
        client.configMaps().inNamespace(Owned.NAMESPACE).withName(Owned.TRUST).delete();
        open();
        assertThat(secretIfAny()).isPresent();
    }

    @Test
    void damagedItIsRefusedAndLeftAsItIs() throws Exception {
        CertificateAuthority authority = open();
        AuthorityState before = authority.state();
        List<UnaryOperator<String>> damages = List.of(
                text -> text.substring(0, text.length() / 2),
                text -> text.replace("\"generation\" : 0", "\"generation\" : 9"),
                text -> "",
                text -> "hello");
        String good = document();
        for (UnaryOperator<String> damage : damages) {
            String bad = damage.apply(good);
            write(bad);
            assertThatThrownBy(this::open)
                    .isInstanceOf(UnusableState.class)
                    .hasMessageContaining("tulle-system/tulle-authority is damaged")
                    .hasMessageContaining("Restore it from a backup");
            assertThatThrownBy(authority::look).isInstanceOf(UnusableState.class);
            assertThatThrownBy(() -> authority.maintain(5, false)).isInstanceOf(UnusableState.class);
            assertThat(document()).isEqualTo(bad);
            assertThat(authority.state()).isEqualTo(before);
        }
        // When it is deleted the running controller writes it again
        delete();
        authority.look();
        assertThat(document()).isEqualTo(good);
    }

    @Test
    void theKeyRemovedByHandIsDamage() throws Exception {
        CertificateAuthority authority = open();
        client.resource(new SecretBuilder(secret()).withData(new HashMap<>()).build())
                .update();
        assertThatThrownBy(authority::look)
                .isInstanceOf(UnusableState.class)
                .hasMessageContaining("its key 'authority' is missing");
    }

    @Test
    void anotherAuthorityInItsPlaceIsNotFollowed() throws Exception {
        CertificateAuthority authority = open();
        AuthorityState before = authority.state();
        write(AuthorityFile.encode(Authorities.open(directory, clock).state()));
        assertThatThrownBy(authority::look)
                .isInstanceOf(UnusableState.class)
                .hasMessageContaining("holds another authority")
                .hasMessageContaining("delete the Secret");
        assertThatThrownBy(() -> authority.maintain(1, false)).isInstanceOf(UnusableState.class);
        assertThat(authority.state()).isEqualTo(before);
    }

    @Test
    void labelsAndAnnotationsOfOthersStay() throws Exception {
        CertificateAuthority authority = open();
        client.resource(new SecretBuilder(secret())
                        .editMetadata()
                        .addToAnnotations("backup", "yes")
                        .endMetadata()
                        .build())
                .update();
        assertThat(authority.look()).isFalse();
        assertThat(authority.maintain(1, false)).isTrue();
        assertThat(secret().getMetadata().getAnnotations()).containsEntry("backup", "yes");
        assertThat(AuthorityFile.decode(document())).isEqualTo(authority.state());
    }

    private CertificateAuthority open() throws UnusableState {
        return open(client);
    }

    private CertificateAuthority open(KubernetesClient its) throws UnusableState {
        return CertificateAuthority.open(
                new AuthoritySecret(its, new Notices(its, clock), mayWrite::get),
                Optional.empty(),
                clock,
                CertificateAuthority.DEFAULT_LEAF_LIFE);
    }

    private Secret secret() {
        return secretIfAny().orElseThrow();
    }

    private Optional<Secret> secretIfAny() {
        return Optional.ofNullable(client.secrets()
                .inNamespace(Owned.NAMESPACE)
                .withName(Owned.AUTHORITY)
                .get());
    }

    private String document() {
        return new String(
                Base64.getDecoder().decode(secret().getData().get(AuthoritySecret.KEY)), StandardCharsets.UTF_8);
    }

    private void write(String document) {
        client.resource(new SecretBuilder(secret())
                        .addToData(
                                AuthoritySecret.KEY,
                                Base64.getEncoder().encodeToString(document.getBytes(StandardCharsets.UTF_8)))
                        .build())
                .update();
    }

    private void delete() {
        client.secrets().inNamespace(Owned.NAMESPACE).withName(Owned.AUTHORITY).delete();
    }
}
