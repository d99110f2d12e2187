package dev.tulle.proxy.identity;

import dev.tulle.proxy.model.JoinToken;
import dev.tulle.proxy.model.JoinTokenPayload;
import dev.tulle.proxy.model.MalformedMessage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Clock;

/** The file that holds the join token; read anew for each use, so that an operator can put a fresh one there. */
public final class TokenFile {
    private final Path file;
    private final Clock clock;

    public TokenFile(Path file, Clock clock) {
        this.file = file;
        this.clock = clock;
    }

    /**
     * A token as it stands in the file.
     *
     * @param line to be sent as it is; a secret
     * @param payload what it says
     */
    record Token(String line, JoinTokenPayload payload) {
        /** Never the token. */
        @Override
        public String toString() {
            return "Token[" + payload.workload() + " until " + payload.expires() + "]";
        }
    }

    /** Reads the token, expired or not. */
    Token read() throws UnusableIdentity {
        try {
            if (Files.size(file) > JoinToken.MAX_LENGTH) {
                throw new UnusableIdentity(
                        "the token file %s is larger than a token can be: make one with 'tulle token'".formatted(file));
            }
            String line = new String(Files.readAllBytes(file), StandardCharsets.UTF_8).strip();
            return new Token(line, JoinToken.parse(line).payload());
        } catch (NoSuchFileException e) {
            throw new UnusableIdentity("the token file %s does not exist: make one with 'tulle token'".formatted(file));
        } catch (IOException e) {
            throw new UnusableIdentity("the token file %s cannot be read: %s".formatted(file, e));
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
}
