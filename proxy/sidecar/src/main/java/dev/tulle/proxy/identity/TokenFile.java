package dev.tulle.proxy.identity;

import dev.tulle.proxy.model.JoinToken;
import dev.tulle.proxy.model.JoinTokenPayload;
import dev.tulle.proxy.model.MalformedMessage;
import dev.tulle.proxy.model.ProxyCodec;
import dev.tulle.proxy.model.TrustBundle;
import dev.tulle.proxy.model.WorkloadId;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.Optional;

/**
 * The file that holds the token to enroll with; read anew for each use, so that a fresh one can be put there.
 *
 * <p>Either a join token, which says itself whose it is and whom to trust, or one that a platform gives to a pod and exchanges in time
 * (Kubernetes: a projected ServiceAccount token), which says nothing to us: then a trust bundle lies in a file beside it.
 */
public final class TokenFile {
    /** Far away, and still a date that can be written. */
    private static final Instant NEVER = Instant.parse("9999-12-31T23:59:59Z");

    private final Path file;
    private final Clock clock;
    private final Optional<Platform> platform;

    /** What the platform's token does not say. */
    private record Platform(Path trustFile, WorkloadId workload) {}

    /** A file with a join token. */
    public TokenFile(Path file, Clock clock) {
        this(file, clock, Optional.empty());
    }

    private TokenFile(Path file, Clock clock, Optional<Platform> platform) {
        this.file = file;
        this.clock = clock;
        this.platform = platform;
    }

    /**
     * A file with a token of the platform.
     *
     * @param trustFile a {@link TrustBundle} as JSON: by whose anchors the controller is believed
     * @param workload whom the token is for
     */
    public static TokenFile ofPlatform(Path file, Path trustFile, WorkloadId workload, Clock clock) {
        return new TokenFile(file, clock, Optional.of(new Platform(trustFile, workload)));
    }

    /**
     * A token as it stands in the file.
     *
     * @param line to be sent as it is; a secret
     * @param payload what it says, or what is known of it
     */
    record Token(String line, JoinTokenPayload payload) {
        /** Never the token. */
        @Override
        public String toString() {
            return "Token[" + payload.workload() + " until " + payload.expires() + "]";
        }
    }

    /** Whether the files come and are exchanged by themselves, so that what is missing is worth waiting for. */
    boolean isOfPlatform() {
        return platform.isPresent();
    }

    /** Where to enroll with it. */
    String enrollPath() {
        return platform.map(p ->
                        "/v1/enroll?workload=" + URLEncoder.encode(p.workload().toString(), StandardCharsets.UTF_8))
                .orElse("/v1/enroll");
    }

    /** Reads the token, expired or not. */
    Token read() throws UnusableIdentity {
        String line = text(file, "token file", JoinToken.MAX_LENGTH).strip();
        try {
            if (platform.isPresent()) {
                return ofPlatform(line, platform.get());
            }
            return new Token(line, JoinToken.parse(line).payload());
        } catch (MalformedMessage e) {
            throw new UnusableIdentity("the token file %s holds no join token (%s): make one with 'tulle token'"
                    .formatted(file, e.getMessage()));
        }
    }

    /** Reads the token and insists that it still counts. */
    Token readValid() throws UnusableIdentity {
        Token token = read();
        if (!clock.instant().isBefore(token.payload().expires())) {
            throw new UnusableIdentity("the join token in %s has expired at %s: make a new one with 'tulle token %s'"
                    .formatted(file, token.payload().expires(), token.payload().workload()));
        }
        return token;
    }

    private Token ofPlatform(String line, Platform of) throws UnusableIdentity {
        if (line.isEmpty() || line.chars().anyMatch(c -> c <= ' ' || c > '~')) {
            throw new UnusableIdentity("the token file %s holds no token on one line".formatted(file));
        }
        try {
            TrustBundle trust =
                    ProxyCodec.decodeTrust(text(of.trustFile(), "trust file", ProxyCodec.MAX_ENROLLMENT_BYTES));
            return new Token(line, new JoinTokenPayload(of.workload(), NEVER, trust));
        } catch (MalformedMessage e) {
            throw new UnusableIdentity(
                    "the trust file %s holds no trust bundle (%s): it is the key trust.json of the ConfigMap tulle-trust"
                            .formatted(of.trustFile(), e.getMessage()));
        }
    }

    private String text(Path from, String what, int most) throws UnusableIdentity {
        String source = platform.isPresent() ? "it is mounted by the injector" : "make one with 'tulle token'";
        try {
            if (Files.size(from) > most) {
                throw new UnusableIdentity("the %s %s is larger than a %s can be: %s"
                        .formatted(what, from, what.replace(" file", ""), source));
            }
            return Files.readString(from);
        } catch (NoSuchFileException e) {
            throw new UnusableIdentity("the %s %s does not exist: %s".formatted(what, from, source));
        } catch (IOException e) {
            throw new UnusableIdentity("the %s %s cannot be read: %s".formatted(what, from, e));
        }
    }
}
