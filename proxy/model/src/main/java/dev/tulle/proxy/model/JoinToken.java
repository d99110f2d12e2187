package dev.tulle.proxy.model;

import static java.util.Objects.requireNonNull;

/**
 * A join token taken apart: one line {@code tulle1.<payload>.<signature>}, both base64url without padding.
 *
 * <p>Nothing here verifies the signature: that is the controller's affair, over the ASCII bytes of {@link #signedText}.
 *
 * @param payload what it says
 * @param signedText {@code tulle1.<payload>} as it was received
 * @param signature base64url without padding
 */
public record JoinToken(JoinTokenPayload payload, String signedText, String signature) {
    /** Longest token, characters. */
    public static final int MAX_LENGTH = 64 << 10;

    public JoinToken {
        requireNonNull(payload, "payload");
        requireNonNull(signedText, "signedText");
        requireNonNull(signature, "signature");
    }

    /** The text that is signed for a payload: {@code tulle1.<payload>}. */
    public static String textToSign(JoinTokenPayload payload) {
        return dev.tulle.proxy.model.Pending.body();
    }

    /** The token's line, from {@link #textToSign} and the signature over its ASCII bytes. */
    public static String line(String signedText, byte[] signature) {
        return dev.tulle.proxy.model.Pending.body();
    }

    /** Takes a token apart; white space around it (a file's line end) does not count. */
    public static JoinToken parse(String line) throws MalformedMessage {
        return dev.tulle.proxy.model.Pending.body();
    }

    /** The signature's bytes. */
    public byte[] signatureBytes() {
        return dev.tulle.proxy.model.Pending.body();
    }
}
