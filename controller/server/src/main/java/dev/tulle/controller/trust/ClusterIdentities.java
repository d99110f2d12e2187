package dev.tulle.controller.trust;

import dev.tulle.controller.api.Controller.OwnProblem;
import dev.tulle.controller.identity.Attestor;
import dev.tulle.controller.identity.CertificateAuthority;
import dev.tulle.controller.identity.UnusableState;
import dev.tulle.controller.identity.WantedIssuer;
import dev.tulle.controller.resources.MeshSettings;
import dev.tulle.controller.trust.Upkeep.Piece;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Everything about identity that only the leader does: opens the authority, follows its Secret and the issuer's, spreads trust, keeps the
 * webhooks' certificate, and tells of what ends.
 */
public final class ClusterIdentities implements AutoCloseable {
    /** Between two looks at the objects. */
    static final Duration LOOK = Duration.ofSeconds(5);

    /** Between two comparisons of what namespaces hold with what they should; a change asks sooner. */
    static final Duration SPREAD = Duration.ofSeconds(1);

    private static final String TRUST_DOMAIN = "trust-domain";

    private final CertificateAuthority authority;
    private final PodAttestor attestor;
    private final IssuerSecret issuer;
    private final Notices notices;
    private final CaBundles bundles;
    private final WebhookSecret webhook;
    private final ExpiryWatch expiry;
    private final TrustSpread trust;
    private final Upkeep spreader;
    private final Upkeep upkeep;
    private volatile Optional<OwnProblem> lost = Optional.empty();

    private ClusterIdentities(
            KubernetesClient client,
            CertificateAuthority authority,
            Notices notices,
            Clock clock,
            BooleanSupplier mayWrite) {
        this.authority = authority;
        this.notices = notices;
        this.attestor = new PodAttestor(client, authority::trustDomain, clock);
        this.issuer = new IssuerSecret(client, authority, notices, clock);
        this.bundles = new CaBundles(client, clock);
        this.webhook = new WebhookSecret(client, bundles, WebhookSecret.LIFE, clock);
        this.expiry = new ExpiryWatch(authority::state, webhook::kept, notices, clock);
        this.trust = new TrustSpread(client, authority, clock);
        authority.holdUntil(trust::allows);
        this.spreader = new Upkeep("tulle-trust", List.of(new Piece("trust bundles", trust::spread)), SPREAD, mayWrite);
        trust.watch(spreader::ask);
        this.upkeep = new Upkeep(
                "tulle-identity",
                List.of(
                        new Piece("the authority", this::lookAtAuthority),
                        new Piece("the issuer", issuer::look),
                        new Piece("the webhooks' certificate", webhook::keep),
                        new Piece("what ends", expiry::look)),
                LOOK,
                mayWrite);
    }

    /**
     * Opens the authority and begins to look after it.
     *
     * @param trustDomain what it must be of; absent: what is there, else what the settings say, else {@code cluster.local}
     * @param mayWrite asked each time before something is written; what cannot be written waits
     * @throws UnusableState when there is no authority to go on with, or it is of another trust domain
     */
    public static ClusterIdentities start(
            KubernetesClient client,
            Optional<String> trustDomain,
            Duration leafLife,
            Clock clock,
            BooleanSupplier mayWrite)
            throws UnusableState {
        Notices notices = new Notices(client, clock);
        AuthoritySecret store = new AuthoritySecret(client, notices, mayWrite);
        try {
            CertificateAuthority authority = CertificateAuthority.open(
                    store,
                    trustDomain,
                    () -> settledTrustDomain(client),
                    domain -> IssuerSecret.first(client, domain, clock.instant()),
                    clock,
                    leafLife);
            authority.want(new WantedIssuer.AsItIs());
            return new ClusterIdentities(client, authority, notices, clock, mayWrite);
        } catch (UnusableState e) {
            notices.warn("Secret", Owned.AUTHORITY, "AuthorityUnusable", String.valueOf(e.getMessage()), "");
            throw e;
        } catch (KubernetesClientException | IllegalArgumentException e) {
            throw new UnusableState("the authority could not be opened: " + e.getMessage(), e);
        }
    }

    private static String settledTrustDomain(KubernetesClient client) {
        @Nullable ConfigMap settings = client.configMaps()
                .inNamespace(MeshSettings.CONFIG_MAP.namespace())
                .withName(MeshSettings.CONFIG_MAP.name())
                .get();
        return settings == null || settings.getData() == null
                ? MeshSettings.DEFAULT_TRUST_DOMAIN
                : settings.getData().getOrDefault(TRUST_DOMAIN, MeshSettings.DEFAULT_TRUST_DOMAIN);
    }

    public CertificateAuthority authority() {
        return authority;
    }

    public Attestor attestor() {
        return attestor;
    }

    /** What is wrong now. */
    public List<OwnProblem> problems() {
        List<OwnProblem> problems = new ArrayList<>();
        lost.ifPresent(problems::add);
        issuer.problem().ifPresent(problems::add);
        trust.problem().ifPresent(problems::add);
        bundles.problem().ifPresent(problems::add);
        problems.addAll(expiry.problems());
        for (Upkeep work : List.of(upkeep, spreader)) {
            work.failures()
                    .forEach((piece, cause) -> problems.add(new OwnProblem(
                            "Controller",
                            "could not look after %s: %s".formatted(piece, cause),
                            "what was in effect stays, it is tried again")));
        }
        return problems;
    }

    private void lookAtAuthority() {
        try {
            authority.look();
            lost = Optional.empty();
        } catch (UnusableState e) {
            OwnProblem problem = new OwnProblem(
                    "Secret " + Owned.NAMESPACE + "/" + Owned.AUTHORITY,
                    String.valueOf(e.getMessage()),
                    "certificates are signed as before from memory, nothing is rotated");
            if (!lost.equals(Optional.of(problem))) {
                notices.warn("Secret", Owned.AUTHORITY, "AuthorityUnusable", problem.message(), "");
            }
            lost = Optional.of(problem);
        }
    }

    @Override
    public void close() {
        upkeep.close();
        spreader.close();
        trust.close();
    }
}
