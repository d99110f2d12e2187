package dev.tulle.smi.convert;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Set;

/**
 * HTTPRouteGroup v1alpha1 to v1alpha4: the list of matches is at the root until v1alpha2 and in {@code spec} since.
 *
 * <p>v1alpha3 and v1alpha4 also take a list at the root, which counts where {@code spec} has none. The list that counts is the one an older
 * version shows, so an edit there is an edit of what counts; where it stood, and a root list that does not count, are kept.
 */
final class HttpRouteGroupConversion implements Conversion {
    private static final String MATCHES = "matches";
    /** The list that counts stands at the root. */
    private static final String AT_ROOT = "matchesAtRoot";
    /** The root list that does not count. */
    private static final String SHADOWED = "shadowedMatches";

    @Override
    public int oldest() {
        return 1;
    }

    @Override
    public int newest() {
        return 4;
    }

    @Override
    public Set<String> notesOfNewest() {
        return Set.of();
    }

    @Override
    public void toNewest(ObjectNode object, int from, Kept kept) {
        if (from <= 2) {
            boolean atRoot = kept.take(AT_ROOT).isPresent();
            JsonNode shadowed = kept.take(SHADOWED).orElse(MissingNode.getInstance());
            if (!atRoot && object.has(MATCHES)) {
                Conversion.move(object, MATCHES, MATCHES);
                if (shadowed.isArray() && !object.has(MATCHES)) {
                    object.set(MATCHES, shadowed);
                }
            }
        }
    }

    @Override
    public void fromNewest(ObjectNode object, int to, Kept kept) {
        if (to <= 2) {
            JsonNode root = object.get(MATCHES);
            if (Conversion.isSaid(object.path("spec").get(MATCHES))) {
                Conversion.moveBack(object, MATCHES, MATCHES);
                if (root != null) {
                    kept.keep(SHADOWED, root);
                }
            } else if (root != null) {
                kept.keep(AT_ROOT, JsonNodeFactory.instance.booleanNode(true));
            }
        }
    }
}
