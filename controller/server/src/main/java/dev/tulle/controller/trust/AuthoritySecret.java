package dev.tulle.controller.trust;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.tulle.controller.identity.AuthorityFile;
import dev.tulle.controller.identity.AuthorityState;
import dev.tulle.controller.identity.AuthorityStore;
import dev.tulle.controller.identity.UnusableState;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.Resource;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The authority's state in the Secret {@code tulle-authority}: the same document as in a state directory, under the key {@code authority}.
 *
 * <p>Made by create, never over one that is there, and changed only at the resource version it was read at: of two controllers that
 * believe to lead one wins, and the other takes over what it finds. The ConfigMap {@code tulle-trust} beside it outlives the Secret: where
 * it is and the Secret is not, somebody lost a root, and no new one is made silently. Safe for all threads.
 */
public final class AuthoritySecret implements AuthorityStore {
    static final String KEY = "authority";
    private static final String WHERE = "Secret " + Owned.NAMESPACE + "/" + Owned.AUTHORITY;
    private static final int TRIES = 5;

    private final KubernetesClient client;
    private final Notices notices;
    private final BooleanSupplier mayWrite;

    /** @param mayWrite asked each time before the state is replaced */
    AuthoritySecret(KubernetesClient client, Notices notices, BooleanSupplier mayWrite) {
        this.client = client;
        this.notices = notices;
        this.mayWrite = mayWrite;
    }

    @Override
    public AuthorityState readOrCreate(Supplier<AuthorityState> fresh) throws UnusableState {
        try {
            Optional<Secret> there = read();
            if (there.isEmpty() && wasHereBefore()) {
                // Another controller may have made both since we looked.
                there = read();
                if (there.isEmpty()) {
                    throw new UnusableState(
                            "%s is gone, but the mesh had a root: ConfigMap %s/%s still says which. Restore the Secret from a backup; or delete that ConfigMap to begin with a new root, then restart every meshed pod"
                                    .formatted(WHERE, Owned.NAMESPACE, Owned.TRUST));
                }
            }
            if (there.isPresent()) {
                return decode(there.get());
            }
            AuthorityState made = fresh.get();
            return create(made) ? made : decode(read().orElseThrow(() -> new UnusableState(goneAgain())));
        } catch (KubernetesClientException e) {
            throw unreachable("read or made", e);
        }
    }

    @Override
    public AuthorityState replace(AuthorityState held, AuthorityState next) throws UnusableState {
        if (!mayWrite.getAsBoolean()) {
            throw new UnusableState(
                    "%s is not written while the Lease cannot be renewed: look how the API server is".formatted(WHERE));
        }
        try {
            for (int i = 0; i < TRIES; i++) {
                Optional<Secret> there = read();
                if (there.isEmpty()) {
                    if (restore(next)) {
                        return next;
                    }
                    continue;
                }
                AuthorityState kept = decode(there.get());
                if (!kept.equals(held)) {
                    return akin(kept, held);
                }
                if (update(there.get(), next)) {
                    return next;
                }
            }
            throw new UnusableState(
                    "%s changes faster than it can be written: look at who else writes it (kubectl -n %s get secret %s -o yaml --show-managed-fields)"
                            .formatted(WHERE, Owned.NAMESPACE, Owned.AUTHORITY));
        } catch (KubernetesClientException e) {
            throw unreachable("written", e);
        }
    }

    /** Likewise; what was deleted is written again from memory. */
    @Override
    public AuthorityState look(AuthorityState held) throws UnusableState {
        try {
            Optional<Secret> there = read();
            if (there.isEmpty()) {
                return restore(held)
                        ? held
                        : akin(decode(read().orElseThrow(() -> new UnusableState(goneAgain()))), held);
            }
            AuthorityState kept = decode(there.get());
            return kept.equals(held) ? held : akin(kept, held);
        } catch (KubernetesClientException e) {
            throw unreachable("read", e);
        }
    }

    @Override
    public String otherTrustDomain() {
        return "uninstall and install anew, for every identity would change";
    }

    private static AuthorityState akin(AuthorityState kept, AuthorityState held) throws UnusableState {
        if (!kept.isAkinTo(held)) {
            throw new UnusableState(
                    "%s holds another authority than the running controller: no root in common. To keep the running one delete the Secret, it is written again; to take the other restart the controller, then every meshed pod"
                            .formatted(WHERE));
        }
        return kept;
    }

    private static AuthorityState decode(Secret secret) throws UnusableState {
        try {
            String value = secret.getData() == null ? null : secret.getData().get(KEY);
            if (value == null) {
                throw new IllegalArgumentException("its key '%s' is missing".formatted(KEY));
            }
            return AuthorityFile.decode(new String(Base64.getDecoder().decode(value), UTF_8));
        } catch (IllegalArgumentException e) {
            throw new UnusableState(
                    "%s is damaged: %s. Restore it from a backup; or, while a controller leads, delete it, and it is written again from memory"
                            .formatted(WHERE, e.getMessage()),
                    e);
        }
    }

    private boolean restore(AuthorityState state) {
        if (!create(state)) {
            return false;
        }
        notices.warn(
                "Secret",
                Owned.AUTHORITY,
                "AuthorityRestored",
                "The Secret was deleted while the controller ran, and was written again from memory; nothing is lost. Deleted while none runs, the mesh would lose its root.",
                state.trust().issuer() + System.nanoTime());
        return true;
    }

    private Resource<Secret> secret() {
        return client.secrets().inNamespace(Owned.NAMESPACE).withName(Owned.AUTHORITY);
    }

    private Optional<Secret> read() {
        @Nullable Secret found = secret().get();
        return Optional.ofNullable(found);
    }

    private boolean wasHereBefore() {
        return client.configMaps()
                        .inNamespace(Owned.NAMESPACE)
                        .withName(Owned.TRUST)
                        .get()
                != null;
    }

    /** Whether it was made; false when there is one already. */
    private boolean create(AuthorityState state) {
        Secret made = new SecretBuilder()
                .withNewMetadata()
                .withName(Owned.AUTHORITY)
                .withNamespace(Owned.NAMESPACE)
                .withLabels(Owned.LABELS)
                .endMetadata()
                .withType("Opaque")
                .withData(Map.of(KEY, encoded(state)))
                .build();
        return Owned.unlessConflict(() -> client.resource(made).create());
    }

    /** Whether it was written; false when somebody else wrote since it was read. */
    private boolean update(Secret read, AuthorityState state) {
        Secret next = new SecretBuilder(read).addToData(KEY, encoded(state)).build();
        return Owned.unlessConflict(() -> client.resource(next).update());
    }

    private static String encoded(AuthorityState state) {
        return Base64.getEncoder().encodeToString(AuthorityFile.encode(state).getBytes(UTF_8));
    }

    private static String goneAgain() {
        return WHERE + " is made and deleted by turns: look at who else writes it";
    }

    private static UnusableState unreachable(String what, KubernetesClientException e) {
        String cure = e.getCode() == Owned.FORBIDDEN
                ? "apply install/tulle.yaml again, it holds the Role that allows it"
                : "look at the API server; it is tried again";
        return new UnusableState("%s could not be %s: %s; %s".formatted(WHERE, what, Owned.reason(e), cure), e);
    }
}
