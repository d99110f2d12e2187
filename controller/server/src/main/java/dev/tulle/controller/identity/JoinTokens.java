package dev.tulle.controller.identity;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.Objects.requireNonNull;

import dev.tulle.proxy.model.JoinToken;
import dev.tulle.proxy.model.JoinTokenPayload;
import dev.tulle.proxy.model.MalformedMessage;
import dev.tulle.proxy.model.WorkloadId;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import javax.crypto.Mac;

/** Makes and verifies join tokens: each lets one workload in until it expires. Pure but for the key it is given. */
public final class JoinTokens {
    /** Life of a token where nothing else is said. */
    public static final Duration DEFAULT_LIFE = Duration.ofHours(1);

    /** Longest life: a token that outlives a month is a password. */
    public static final Duration MAX_LIFE = Duration.ofDays(31);

    private JoinTokens() {}

    /** A token's one line, without line end. */
    public static String issue(AuthorityState state, WorkloadId workload, Instant expires) {
        String text = JoinToken.textToSign(new JoinTokenPayload(workload, expires, state.trust()));
        return JoinToken.line(text, hmac(state, text));
    }

    /** What a token proves. */
    public static Verification verify(AuthorityState state, String line, Instant now) {
        JoinToken token;
        try {
            token = JoinToken.parse(line);
        } catch (MalformedMessage e) {
            return new Verification.Refused(
                    "That is not a join token; make one with 'tulle token <workload> --state-dir <the controller's>'.");
        }
        WorkloadId workload = token.payload().workload();
        if (!MessageDigest.isEqual(hmac(state, token.signedText()), token.signatureBytes())) {
            return new Verification.Refused(
                    "The join token was not signed by this controller; make one with its own --state-dir: 'tulle token %s'."
                            .formatted(workload));
        }
        if (!now.isBefore(token.payload().expires())) {
            return new Verification.Refused("The join token for %s expired at %s; make a new one with 'tulle token %s'."
                    .formatted(workload, token.payload().expires(), workload));
        }
        return new Verification.Valid(workload);
    }

    private static byte[] hmac(AuthorityState state, String text) {
        try {
            Mac mac = Mac.getInstance(AuthorityState.TOKEN_ALGORITHM);
            mac.init(state.tokenKey());
            return mac.doFinal(text.getBytes(US_ASCII));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java has no " + AuthorityState.TOKEN_ALGORITHM, e);
        }
    }

    /** What a token proves. */
    public sealed interface Verification {
        /** Its bearer may enrol as this workload. */
        record Valid(WorkloadId workload) implements Verification {
            public Valid {
                requireNonNull(workload, "workload");
            }
        }

        /** It proves nothing; {@code sentence} says why and what to do. */
        record Refused(String sentence) implements Verification {
            public Refused {
                requireNonNull(sentence, "sentence");
            }
        }
    }
}
