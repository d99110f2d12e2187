package dev.tulle.smi.convert;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;

/**
 * Converts SMI objects between their versions.
 *
 * <p>What the desired version cannot say travels in the annotation {@value #ANNOTATION} and comes back from there, unless an edit
 * made meanwhile disagrees with it: what an object shows always wins over what it keeps. Nothing else of the metadata is touched, lists
 * keep their order, and no list is added but the {@code ports} that TCPRoute v1alpha4 demands. A value that no rule can read (a weight
 * {@code "much"}) passes as it is, so that one broken object never makes a whole list unreadable.
 *
 * <p>Every conversion goes by way of the newest version, so the way taken makes no difference. Stateless.
 */
public final class SmiConverter {
    /** The annotation that carries what an object's present version cannot say, as JSON. */
    public static final String ANNOTATION = Kept.ANNOTATION;

    private static final Map<String, Conversion> CONVERSIONS = Map.of(
            "split.smi-spec.io/TrafficSplit", new TrafficSplitConversion(),
            "access.smi-spec.io/TrafficTarget", new TrafficTargetConversion(),
            "specs.smi-spec.io/HTTPRouteGroup", new HttpRouteGroupConversion(),
            "specs.smi-spec.io/TCPRoute", new TcpRouteConversion(),
            "specs.smi-spec.io/UDPRoute", new UdpRouteConversion());

    private SmiConverter() {}

    /**
     * The same object in another version of its kind.
     *
     * @param object stays as it is
     * @param desiredApiVersion group and version, such as {@code split.smi-spec.io/v1alpha2}
     * @throws IllegalArgumentException if the object is no SMI object, or its kind has no such version
     */
    public static ObjectNode convert(ObjectNode object, String desiredApiVersion) {
        String kind = object.path("kind").asText();
        ApiVersion from = ApiVersion.parse(object.path("apiVersion").asText());
        ApiVersion to = ApiVersion.parse(desiredApiVersion);
        Conversion conversion = CONVERSIONS.get(from.group() + "/" + kind);
        if (conversion == null) {
            throw new IllegalArgumentException(
                    "%s of %s is no SMI kind: only TrafficSplit, TrafficTarget, HTTPRouteGroup, TCPRoute and UDPRoute are converted"
                            .formatted(kind, from));
        }
        if (!to.group().equals(from.group()) || !conversion.has(from.number()) || !conversion.has(to.number())) {
            throw new IllegalArgumentException(
                    "%s cannot go from %s to %s: it has the versions %s/v1alpha%d to v1alpha%d"
                            .formatted(kind, from, to, from.group(), conversion.oldest(), conversion.newest()));
        }
        ObjectNode converted = object.deepCopy();
        if (!from.equals(to)) {
            Kept kept = Kept.takeFrom(converted);
            conversion.toNewest(converted, from.number(), kept);
            kept.retain(conversion.notesOfNewest());
            conversion.fromNewest(converted, to.number(), kept);
            kept.putInto(converted);
            converted.put("apiVersion", to.toString());
        }
        return converted;
    }

    /** An {@code apiVersion} in its parts; {@code number} is that of {@code v1alphaN}, 0 for any other version. */
    private record ApiVersion(String group, String version, int number) {
        static ApiVersion parse(String text) {
            int slash = text.indexOf('/');
            String version = text.substring(slash + 1);
            int number = version.matches("v1alpha[1-9]") ? version.charAt(version.length() - 1) - '0' : 0;
            return new ApiVersion(slash < 0 ? "" : text.substring(0, slash), version, number);
        }

        @Override
        public String toString() {
            return group.isEmpty() ? version : group + "/" + version;
        }
    }
}
