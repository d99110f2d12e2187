package dev.tulle.smi.convert;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Set;

/**
 * TrafficTarget v1alpha1 to v1alpha3: v1alpha1 has no {@code spec} and calls the rules {@code specs}; {@code destination.port} is a number, in
 * v1alpha3 a number or text.
 *
 * <p>The published v1alpha3 has no port at all. Ours has it, as one dropped on the way would widen access. The text of a port is kept, and
 * used again while the number is still the same.
 */
final class TrafficTargetConversion implements Conversion {
    private static final String PORT = "port";

    @Override
    public int oldest() {
        return 1;
    }

    @Override
    public int newest() {
        return 3;
    }

    @Override
    public Set<String> notesOfNewest() {
        return Set.of();
    }

    @Override
    public void toNewest(ObjectNode object, int from, Kept kept) {
        if (from == 1) {
            Conversion.move(object, "destination", "destination");
            Conversion.move(object, "specs", "rules");
            Conversion.move(object, "sources", "sources");
        }
        if (from <= 2) {
            JsonNode before = kept.take(PORT).orElse(MissingNode.getInstance());
            if (object.path("spec").path("destination") instanceof ObjectNode destination
                    && destination.path("port").isIntegralNumber()
                    && before.isTextual()
                    && before.textValue().equals(destination.path("port").asText())) {
                destination.set("port", before);
            }
        }
    }

    @Override
    public void fromNewest(ObjectNode object, int to, Kept kept) {
        if (to <= 2
                && object.path("spec").path("destination") instanceof ObjectNode destination
                && destination.path("port").isTextual()
                && destination.path("port").textValue().matches("[1-9][0-9]{0,4}")) {
            JsonNode text = destination.path("port");
            kept.keep(PORT, text);
            destination.put("port", Integer.parseInt(text.textValue()));
        }
        if (to == 1) {
            Conversion.moveBack(object, "destination", "destination");
            Conversion.moveBack(object, "rules", "specs");
            Conversion.moveBack(object, "sources", "sources");
        }
    }
}
