package dev.tulle.controller.trust;

import dev.tulle.controller.api.Controller.OwnProblem;
import dev.tulle.controller.identity.AuthorityState;
import dev.tulle.controller.identity.Root;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/** Tells by Events and problems that a root, the issuer or the webhooks' certificate is near its end. {@link #look} runs on one thread. */
final class ExpiryWatch {
    private static final String OURS = "the controller renews it by itself, look at its log for why it did not";
    private static final String GIVEN = "have it renewed where Secret tulle-system/tulle-issuer comes from";

    private final Supplier<AuthorityState> authority;
    private final Supplier<Optional<WebhookKeys>> webhook;
    private final Notices notices;
    private final Clock clock;
    private Set<String> told = new HashSet<>();
    private volatile List<OwnProblem> problems = List.of();

    ExpiryWatch(
            Supplier<AuthorityState> authority, Supplier<Optional<WebhookKeys>> webhook, Notices notices, Clock clock) {
        this.authority = authority;
        this.webhook = webhook;
        this.notices = notices;
        this.clock = clock;
    }

    /** What is near its end now. */
    List<OwnProblem> problems() {
        return problems;
    }

    void look() {
        List<OwnProblem> now = new ArrayList<>();
        Set<String> near = new HashSet<>();
        for (Expiry.Certificate certificate : certificates()) {
            Optional<Integer> days = Expiry.near(certificate, clock.instant());
            if (days.isPresent()) {
                String occasion = certificate.secret() + certificate.what() + certificate.id() + days.get();
                near.add(occasion);
                String sentence = certificate.sentence(days.get());
                now.add(new OwnProblem(
                        "Secret " + Owned.NAMESPACE + "/" + certificate.secret(),
                        sentence,
                        "it is used until it ends"));
                if (!told.contains(occasion)) {
                    notices.warn("Secret", certificate.secret(), "CertificateExpiring", sentence, occasion);
                }
            }
        }
        told = near;
        problems = List.copyOf(now);
    }

    private List<Expiry.Certificate> certificates() {
        AuthorityState state = authority.get();
        List<Expiry.Certificate> all = new ArrayList<>();
        Root newest = state.roots().getLast();
        all.add(new Expiry.Certificate(
                "the root " + newest.id(),
                newest.isOurs() ? Owned.AUTHORITY : Owned.ISSUER,
                newest.id(),
                newest.notBefore(),
                newest.notAfter(),
                newest.isOurs() ? OURS : GIVEN));
        boolean given = state.isIssuerGiven();
        all.add(new Expiry.Certificate(
                "the issuer " + state.issuer().id(),
                given ? Owned.ISSUER : Owned.AUTHORITY,
                state.issuer().certificate().getSerialNumber().toString(16),
                state.issuer().notBefore(),
                state.issuer().notAfter(),
                given ? GIVEN : OURS));
        webhook.get()
                .map(WebhookKeys::serving)
                .ifPresent(pair -> all.add(new Expiry.Certificate(
                        "the webhooks' certificate",
                        Owned.WEBHOOK,
                        pair.ends().toString(),
                        pair.begins(),
                        pair.ends(),
                        OURS)));
        return all;
    }
}
