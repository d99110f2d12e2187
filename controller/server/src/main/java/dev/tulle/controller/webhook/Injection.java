package dev.tulle.controller.webhook;

import dev.tulle.controller.inject.Decision;
import dev.tulle.controller.inject.Decision.Reason;
import dev.tulle.controller.inject.InjectSettings;
import dev.tulle.controller.inject.Injector;
import dev.tulle.controller.inject.JsonPatch;
import dev.tulle.controller.inject.NamespaceView;
import dev.tulle.controller.inject.Tuning;
import dev.tulle.controller.webhook.Review.Answer;
import java.util.List;
import java.util.function.Supplier;

/** Answers about pods that are made: with their proxy, as they are, or not at all. */
final class Injection {
    private static final String POD = "Pod";

    private final Supplier<InjectSettings> settings;
    private final Namespaces namespaces;
    private final LeftOut leftOut;

    /** @param settings asked anew for each pod */
    Injection(Supplier<InjectSettings> settings, Namespaces namespaces, LeftOut leftOut) {
        this.settings = settings;
        this.namespaces = namespaces;
        this.leftOut = leftOut;
    }

    Answer answer(Review review) {
        if (!review.kind().equals(POD)
                || !review.operation().equals("CREATE")
                || review.namespace().isEmpty()) {
            return Answer.Allow.unchanged(List.of());
        }
        Injector injector = new Injector(settings.get());
        Decision decision = decide(injector, namespaces.known(review.namespace()), review);
        if (isNotAsked(decision)) {
            // The API server, which saw the labels, thought otherwise: ours may be the older view.
            decision = decide(injector, namespaces.now(review.namespace()), review);
        }
        return switch (decision) {
            case Decision.Inject(Tuning tuning, List<String> warnings) ->
                new Answer.Allow(
                        JsonPatch.between(review.object(), injector.inject(review.object(), tuning)), warnings);
            case Decision.Skip skip
            when skip.isUnexpected() -> {
                if (!review.dryRun()) {
                    leftOut.tell(review.namespace(), review.object(), skip.sentence());
                }
                yield Answer.Allow.unchanged(List.of(skip.sentence()));
            }
            case Decision.Skip skip -> Answer.Allow.unchanged(List.of());
            case Decision.Refuse refused -> new Answer.Deny(refused.message(), List.of());
        };
    }

    private static Decision decide(Injector injector, NamespaceView namespace, Review review) {
        return injector.decide(namespace, review.object(), POD, review.name());
    }

    private static boolean isNotAsked(Decision decision) {
        return decision instanceof Decision.Skip skip && skip.reason() == Reason.NOT_ASKED;
    }
}
