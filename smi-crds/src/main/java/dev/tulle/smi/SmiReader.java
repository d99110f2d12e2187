package dev.tulle.smi;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Optional;

/**
 * Reads documents of every SMI version into {@link SmiObject}s.
 *
 * <p>Never throws for what a document says: whatever is wrong comes back as {@link Parsed.Bad}, every problem at once. Fields that a
 * version does not have are refused, as kubectl does: a misspelt restriction must not read as no restriction. Stateless.
 */
public final class SmiReader {
    private SmiReader() {}

    /** Whether a document of that {@code apiVersion} and {@code kind} is for {@link #read}; true for versions that do not exist, too. */
    public static boolean isSmi(String apiVersion, String kind) {
        return SmiKind.of(apiVersion, kind).isPresent();
    }

    /**
     * Reads one document.
     *
     * @param document a parsed YAML or JSON document of any version in {@link SmiKind#versions}
     */
    public static Parsed read(JsonNode document) {
        return new Parsed.Bad(
                List.of(new FieldProblem("kind", document.path("kind").asText() + " is not read yet")),
                Optional.empty());
    }
}
