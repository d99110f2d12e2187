package dev.tulle.controller.trust;

import dev.tulle.controller.api.Controller.OwnProblem;
import dev.tulle.controller.identity.AuthorityState;
import dev.tulle.controller.identity.CertificateAuthority;
import dev.tulle.controller.identity.GivenIssuer;
import dev.tulle.controller.identity.IssuerReader;
import dev.tulle.controller.identity.IssuerReader.Reading;
import dev.tulle.controller.identity.WantedIssuer;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Tells the authority whose issuer is to sign: the one in the Secret {@code tulle-issuer}, or ours where there is none.
 *
 * <p>One that cannot be used changes nothing: who signed goes on, and an Event says which field is wrong. One that was deleted is kept in use
 * for {@link #GRACE}, because deleting is how people ask cert-manager for a new one. One thread.
 */
final class IssuerSecret {
    /** How long a Secret may be away before a root of ours takes over. */
    static final Duration GRACE = Duration.ofMinutes(2);

    private static final Logger LOG = Logger.getLogger(IssuerSecret.class);
    private static final String WHERE = "Secret " + Owned.NAMESPACE + "/" + Owned.ISSUER;

    private final KubernetesClient client;
    private final CertificateAuthority authority;
    private final Notices notices;
    private final Clock clock;
    private Optional<Instant> awaySince = Optional.empty();
    private Optional<GivenIssuer> last = Optional.empty();
    private volatile Optional<OwnProblem> problem = Optional.empty();

    IssuerSecret(KubernetesClient client, CertificateAuthority authority, Notices notices, Clock clock) {
        this.client = client;
        this.authority = authority;
        this.notices = notices;
        this.clock = clock;
    }

    /** What is wrong with the Secret now. */
    Optional<OwnProblem> problem() {
        return problem;
    }

    /** Reads the Secret and says what follows from it; when the API server does not answer nothing follows. */
    void look() {
        AuthorityState state = authority.state();
        Optional<Secret> secret = secret(client);
        if (secret.isEmpty()) {
            away(state);
            return;
        }
        awaySince = Optional.empty();
        Reading reading = read(secret.get(), state.trustDomain(), clock.instant());
        if (reading instanceof Reading.Usable(GivenIssuer given)) {
            reading = IssuerReader.obstacle(given, state)
                    .<Reading>map(refused -> refused)
                    .orElse(reading);
        }
        switch (reading) {
            case Reading.Usable(GivenIssuer given) -> use(given);
            case Reading.Refused(String field, String sentence) -> refuse(field, sentence, secret.get());
        }
    }

    /** The issuer that is there and can be used, for an authority that begins. */
    static Optional<GivenIssuer> first(KubernetesClient client, String trustDomain, Instant now) {
        return secret(client)
                .map(secret -> read(secret, trustDomain, now))
                .flatMap(reading ->
                        reading instanceof Reading.Usable(GivenIssuer given) ? Optional.of(given) : Optional.empty());
    }

    private static Optional<Secret> secret(KubernetesClient client) {
        @Nullable Secret found = client.secrets()
                .inNamespace(Owned.NAMESPACE)
                .withName(Owned.ISSUER)
                .get();
        return Optional.ofNullable(found);
    }

    private static Reading read(Secret secret, String trustDomain, Instant now) {
        return IssuerReader.read(Objects.requireNonNullElse(secret.getType(), ""), data(secret), trustDomain, now);
    }

    private void use(GivenIssuer given) {
        authority.want(new WantedIssuer.Given(given));
        problem = Optional.empty();
        if (!last.map(one -> one.issuer().certificate())
                .equals(Optional.of(given.issuer().certificate()))) {
            LOG.infof(
                    "issuer given secret=%s/%s issuer=%s until=%s",
                    Owned.NAMESPACE,
                    Owned.ISSUER,
                    given.issuer().id(),
                    given.issuer().notAfter());
        }
        last = Optional.of(given);
    }

    private void refuse(String field, String sentence, Secret secret) {
        authority.want(new WantedIssuer.AsItIs());
        String message = "%s: %s %s".formatted(WHERE, field, sentence);
        OwnProblem now = new OwnProblem(WHERE, field + " " + sentence, "who signed so far goes on signing");
        if (!problem.equals(Optional.of(now))) {
            notices.warn(
                    "Secret",
                    Owned.ISSUER,
                    "IssuerRefused",
                    message,
                    secret.getMetadata().getResourceVersion());
        }
        problem = Optional.of(now);
    }

    private void away(AuthorityState state) {
        problem = Optional.empty();
        if (!state.isGiven()) {
            authority.want(new WantedIssuer.Ours());
            return;
        }
        Instant now = clock.instant();
        Instant since = awaySince.orElse(now);
        awaySince = Optional.of(since);
        if (now.isBefore(since.plus(GRACE))) {
            authority.want(new WantedIssuer.AsItIs());
            problem = Optional.of(new OwnProblem(
                    WHERE,
                    "is gone, though its issuer signs: put it back, or do nothing, and a root of our own takes over at "
                            + since.plus(GRACE),
                    "the issuer goes on signing"));
        } else {
            authority.want(new WantedIssuer.Ours());
            LOG.infof("issuer taken away secret=%s/%s", Owned.NAMESPACE, Owned.ISSUER);
        }
    }

    private static Map<String, byte[]> data(Secret secret) {
        Map<String, byte[]> data = new HashMap<>();
        if (secret.getData() != null) {
            secret.getData()
                    .forEach((key, value) -> data.put(key, Base64.getDecoder().decode(value)));
        }
        return data;
    }
}
