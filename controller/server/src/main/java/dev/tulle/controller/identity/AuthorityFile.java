package dev.tulle.controller.identity;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import javax.crypto.spec.SecretKeySpec;

/**
 * The text form of {@link AuthorityState}: a line with version and checksum, then JSON.
 *
 * <pre>tulle-authority 1 sha256=&lt;hex of everything after this line&gt;</pre>
 */
public final class AuthorityFile {
    private static final String KIND = "tulle-authority";
    private static final String VERSION = "1";
    private static final ObjectMapper JSON = new ObjectMapper();

    private AuthorityFile() {}

    /** The whole document. */
    public static String encode(AuthorityState state) {
        ObjectNode root = JSON.createObjectNode();
        root.put("trustDomain", state.trustDomain());
        root.put("tokenKey", Base64.getEncoder().encodeToString(state.tokenKey().getEncoded()));
        root.putObject("rotation")
                .put("phase", state.rotation().phase())
                .put("generation", state.rotation().generation())
                .put("since", state.rotation().since().toString());
        ArrayNode roots = root.putArray("roots");
        state.roots().forEach(one -> {
            ObjectNode node = roots.addObject().put("certificate", Pem.of(one.certificate()));
            one.key().ifPresent(key -> node.put("key", Pem.of(key)));
        });
        root.set("issuer", encode(state.issuer()));
        state.formerIssuer().ifPresent(key -> root.set("formerIssuer", encode(key)));
        String body = root.toPrettyString() + "\n";
        return KIND + " " + VERSION + " sha256=" + checksum(body) + "\n" + body;
    }

    /** Throws IllegalArgumentException with one phrase of what is wrong; it never quotes a key. */
    public static AuthorityState decode(String text) {
        int end = text.indexOf('\n');
        String[] head = (end < 0 ? text : text.substring(0, end)).split(" ", -1);
        if (head.length != 3 || !head[0].equals(KIND)) {
            throw new IllegalArgumentException("it is not a state file of Tulle, or its first line is lost");
        }
        if (!head[1].equals(VERSION)) {
            throw new IllegalArgumentException(
                    "it was written in format '%s', this program reads %s: use the program that wrote it"
                            .formatted(head[1].length() > 20 ? "?" : head[1], VERSION));
        }
        String body = text.substring(end + 1);
        if (!head[2].equals("sha256=" + checksum(body))) {
            throw new IllegalArgumentException("its checksum does not match its content");
        }
        try {
            JsonNode root = JSON.readTree(body);
            List<Root> roots = new ArrayList<>();
            for (JsonNode key : root.path("roots")) {
                X509Certificate certificate =
                        Pem.certificate(key.path("certificate").asText());
                roots.add(key.has("key") ? Root.ours(decode(key)) : Root.theirs(certificate));
            }
            JsonNode former = root.path("formerIssuer");
            return new AuthorityState(
                    root.path("trustDomain").asText(),
                    new SecretKeySpec(
                            Base64.getDecoder().decode(root.path("tokenKey").asText()), AuthorityState.TOKEN_ALGORITHM),
                    rotation(root.path("rotation")),
                    roots,
                    decode(root.path("issuer")),
                    former.isMissingNode() ? Optional.empty() : Optional.of(decode(former)));
        } catch (JsonProcessingException | GeneralSecurityException | DateTimeParseException e) {
            throw new IllegalArgumentException("its content cannot be read", e);
        }
    }

    private static ObjectNode encode(SigningKey key) {
        ObjectNode node = JSON.createObjectNode()
                .put("certificate", Pem.of(key.certificate()))
                .put("key", Pem.of(key.key()));
        if (!key.above().isEmpty()) {
            ArrayNode above = node.putArray("above");
            key.above().forEach(certificate -> above.add(Pem.of(certificate)));
        }
        return node;
    }

    private static SigningKey decode(JsonNode node) throws GeneralSecurityException {
        X509Certificate certificate = Pem.certificate(node.path("certificate").asText());
        List<X509Certificate> above = new ArrayList<>();
        for (JsonNode one : node.path("above")) {
            above.add(Pem.certificate(one.asText()));
        }
        String algorithm = certificate.getPublicKey().getAlgorithm();
        return new SigningKey(Pem.key(algorithm, node.path("key").asText()), certificate, above);
    }

    private static RootRotation rotation(JsonNode node) {
        long generation = node.path("generation").asLong();
        Instant since = Instant.parse(node.path("since").asText());
        return switch (node.path("phase").asText()) {
            case "settled" -> new RootRotation.Settled(generation, since);
            case "trusting" -> new RootRotation.Trusting(generation, since);
            case "signing" -> new RootRotation.Signing(generation, since);
            default -> throw new IllegalArgumentException("its rotation phase is unknown");
        };
    }

    private static String checksum(String body) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(body.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this Java has no SHA-256", e);
        }
    }
}
