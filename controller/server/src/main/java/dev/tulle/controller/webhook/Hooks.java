package dev.tulle.controller.webhook;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tulle.controller.inject.InjectSettings;
import dev.tulle.controller.resources.Resources;
import dev.tulle.controller.webhook.Review.Answer;
import java.io.IOException;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;
import org.jboss.logging.Logger;

/** What each path answers, from body to body; may block. */
final class Hooks {
    private static final Logger LOG = Logger.getLogger(Hooks.class);

    /** Numbers as they were written, however long. */
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
            .build();

    private final Injection injection;
    private final Validation validation;

    /** Hooks that know of nothing but namespaces. */
    Hooks(Supplier<InjectSettings> settings, Namespaces namespaces, LeftOut leftOut) {
        this(settings, namespaces, leftOut, Optional::empty);
    }

    /** @param watched everything else there is, once it was read */
    Hooks(
            Supplier<InjectSettings> settings,
            Namespaces namespaces,
            LeftOut leftOut,
            Supplier<Optional<Resources>> watched) {
        injection = new Injection(settings, namespaces, leftOut);
        validation = new Validation(settings, namespaces, watched);
    }

    /** The paths there are. */
    enum Hook {
        INJECT,
        VALIDATE,
        CONVERT;

        String path() {
            return "/" + label();
        }

        String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** How a request ended; also a label. */
    enum Outcome {
        ALLOWED,
        CHANGED,
        DENIED,
        CONVERTED,
        FAILED,
        /** No review, or no POST. */
        MALFORMED,
        /** A limit of ours bit. */
        LIMITED;

        String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * What goes back.
     *
     * @param status HTTP's; other than 200 the API server takes it as a failure of ours
     * @param body JSON
     */
    record Reply(int status, Outcome outcome, String body) {
        static Reply refusal(int status, Outcome outcome, String sentence) {
            return new Reply(
                    status,
                    outcome,
                    JsonNodeFactory.instance.objectNode().put("error", sentence).toString());
        }
    }

    Reply reply(Hook hook, byte[] body) {
        try {
            JsonNode document = JSON.readTree(body);
            return switch (hook) {
                case INJECT -> admitted(document, injection::answer);
                case VALIDATE -> admitted(document, validation::answer);
                case CONVERT -> {
                    ObjectNode answer = Conversions.answer(document);
                    boolean done = Conversions.isSuccess(answer);
                    if (!done) {
                        LOG.warnf(
                                "not converted cause=%s",
                                answer.at("/response/result/message").asText());
                    }
                    yield new Reply(200, done ? Outcome.CONVERTED : Outcome.FAILED, answer.toString());
                }
            };
        } catch (JsonProcessingException e) {
            return Reply.refusal(400, Outcome.MALFORMED, "The body is no JSON: " + e.getOriginalMessage());
        } catch (IOException e) {
            return Reply.refusal(400, Outcome.MALFORMED, "The body cannot be read: " + e.getMessage());
        } catch (IllegalArgumentException e) {
            return Reply.refusal(400, Outcome.MALFORMED, String.valueOf(e.getMessage()));
        } catch (IllegalStateException e) {
            LOG.warnf("review failed hook=%s cause=%s", hook.label(), e.getMessage());
            return Reply.refusal(503, Outcome.FAILED, String.valueOf(e.getMessage()));
        }
    }

    /** Decides about one review. */
    private interface Judge {
        Answer answer(Review review);
    }

    private static Reply admitted(JsonNode document, Judge judge) {
        Review review = Review.read(document);
        Answer answer = judge.answer(review);
        Outcome outcome = switch (answer) {
            case Answer.Allow allow -> allow.patch().isEmpty() ? Outcome.ALLOWED : Outcome.CHANGED;
            case Answer.Deny deny -> {
                LOG.infof(
                        "denied object=%s %s/%s cause=%s",
                        review.kind(), review.namespace(), review.name(), deny.message());
                yield Outcome.DENIED;
            }
        };
        return new Reply(200, outcome, review.answered(answer).toString());
    }
}
