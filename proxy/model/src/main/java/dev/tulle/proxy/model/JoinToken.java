package dev.tulle.proxy.model;

import static java.util.Objects.requireNonNull;

import java.nio.charset.StandardCharsets;
import java.util.Base64;

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

    private static final String PREFIX = "tulle1.";
    private static final Base64.Encoder ENCODER = Base64.getUrlEncoder().withoutPadding();

    public JoinToken {
        requireNonNull(payload, "payload");
        requireNonNull(signedText, "signedText");
        requireNonNull(signature, "signature");
    }

    /** The text that is signed for a payload: {@code tulle1.<payload>}. */
    public static String textToSign(JoinTokenPayload payload) {
        return PREFIX + ENCODER.encodeToString(JsonEncoder.encode(payload).getBytes(StandardCharsets.UTF_8));
    }

    /** The token's line, from {@link #textToSign} and the signature over its ASCII bytes. */
    public static String line(String signedText, byte[] signature) {
        return signedText + "." + ENCODER.encodeToString(signature);
    }

    /** Takes a token apart; white space around it (a file's line end) does not count. */
    public static JoinToken parse(String line) throws MalformedMessage {
        String token = line.strip();
        if (token.length() > MAX_LENGTH) {
            throw new MalformedMessage("", "a join token has at most %d characters".formatted(MAX_LENGTH));
        }
        int dot = token.lastIndexOf('.');
        if (!token.startsWith(PREFIX) || dot < PREFIX.length()) {
            throw new MalformedMessage("", "not a join token: expected tulle1.<payload>.<signature>");
        }
        byte[] payload = bytesOf(token.substring(PREFIX.length(), dot), "payload");
        String signature = token.substring(dot + 1);
        if (bytesOf(signature, "signature").length == 0) {
            throw new MalformedMessage("signature", "missing");
        }
        return new JoinToken(
                JsonObject.parse(payload, MAX_LENGTH, JsonDecoder::joinTokenPayload),
                token.substring(0, dot),
                signature);
    }

    /** The signature's bytes. */
    public byte[] signatureBytes() {
        return Base64.getUrlDecoder().decode(signature);
    }

    private static byte[] bytesOf(String text, String part) throws MalformedMessage {
        try {
            return Base64.getUrlDecoder().decode(text);
        } catch (IllegalArgumentException e) {
            throw new MalformedMessage(part, "not base64url");
        }
    }
}
