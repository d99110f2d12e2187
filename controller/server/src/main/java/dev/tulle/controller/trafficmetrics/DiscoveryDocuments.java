package dev.tulle.controller.trafficmetrics;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;

/** What the API consists of, in the words of Kubernetes' discovery; nothing in it can be written, deleted or watched. */
final class DiscoveryDocuments {
    private DiscoveryDocuments() {}

    static ObjectNode of(Asked.Discovery.Level level) {
        return switch (level) {
            case GROUPS -> {
                ObjectNode list = document("APIGroupList");
                list.putArray("groups").add(group());
                yield list;
            }
            case GROUP -> document("APIGroup").setAll(group());
            case VERSION -> version();
        };
    }

    private static ObjectNode document(String kind) {
        return JsonNodeFactory.instance.objectNode().put("kind", kind).put("apiVersion", "v1");
    }

    private static ObjectNode group() {
        ObjectNode group = JsonNodeFactory.instance.objectNode().put("name", Asked.GROUP);
        ObjectNode version = group.putArray("versions")
                .addObject()
                .put("groupVersion", Asked.GROUP + "/" + Asked.VERSION)
                .put("version", Asked.VERSION);
        group.set("preferredVersion", version.deepCopy());
        return group;
    }

    private static ObjectNode version() {
        ObjectNode list = document("APIResourceList").put("groupVersion", Asked.GROUP + "/" + Asked.VERSION);
        ArrayNode resources = list.putArray("resources");
        for (Kind kind : Kind.values()) {
            resource(resources, kind.plural(), kind.singular(), kind.isNamespaced(), "get", "list");
            if (kind != Kind.NAMESPACES && kind != Kind.TRAFFICSPLITS) {
                resource(resources, kind.plural() + "/edges", "", kind.isNamespaced(), "get");
            }
        }
        // Those of a namespace; its path reads like that of a kind of its own.
        resource(resources, "edges", "Edge", true, "list");
        return list;
    }

    private static void resource(
            ArrayNode resources, String name, String singular, boolean namespaced, String... verbs) {
        ArrayNode may = resources
                .addObject()
                .put("name", name)
                .put("singularName", singular.toLowerCase(Locale.ROOT))
                .put("namespaced", namespaced)
                .put("kind", "TrafficMetrics")
                .putArray("verbs");
        for (String verb : verbs) {
            may.add(verb);
        }
    }
}
