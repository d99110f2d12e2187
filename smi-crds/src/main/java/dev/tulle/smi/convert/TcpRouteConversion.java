package dev.tulle.smi.convert;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Set;

/**
 * TCPRoute v1alpha1 to v1alpha4: only v1alpha4 has ports, and there no ports means all; v1alpha3 has an empty {@code spec}, older ones none.
 *
 * <p>Ports other than all are kept; as older versions show none, no edit can disagree.
 */
final class TcpRouteConversion implements Conversion {
    private static final String MATCHES = "matches";
    /** Says of an object that its v1alpha3 form had no {@code spec}. */
    private static final String NO_SPEC = "noSpec";

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
        return Set.of(NO_SPEC);
    }

    @Override
    public void toNewest(ObjectNode object, int from, Kept kept) {
        if (from <= 3) {
            JsonNode before =
                    kept.take(MATCHES).filter(TcpRouteConversion::hasPorts).orElseGet(TcpRouteConversion::allPorts);
            if (from == 3) {
                kept.take(NO_SPEC);
            }
            if (from == 3 && !object.has("spec")) {
                kept.keep(NO_SPEC, JsonNodeFactory.instance.booleanNode(true));
            }
            if (!object.has("spec") || object.path("spec").isObject()) {
                ObjectNode spec = object.withObjectProperty("spec");
                if (!spec.has(MATCHES)) {
                    spec.set(MATCHES, before);
                }
            }
        }
    }

    @Override
    public void fromNewest(ObjectNode object, int to, Kept kept) {
        if (to <= 3 && object.get("spec") instanceof ObjectNode spec) {
            JsonNode matches = spec.remove(MATCHES);
            if (matches != null && !matches.equals(allPorts())) {
                kept.keep(MATCHES, matches);
            }
            if (spec.isEmpty() && (to <= 2 || kept.take(NO_SPEC).isPresent())) {
                object.remove("spec");
            }
        }
    }

    private static JsonNode allPorts() {
        ObjectNode matches = JsonNodeFactory.instance.objectNode();
        matches.putArray("ports");
        return matches;
    }

    private static boolean hasPorts(JsonNode matches) {
        for (JsonNode port : matches.path("ports")) {
            if (!port.isIntegralNumber()) {
                return false;
            }
        }
        return matches.path("ports").isArray();
    }
}
