package dev.tulle.controller.inject;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.TreeSet;

/**
 * The steps from one JSON tree to another, as the API server takes them.
 *
 * <p>Only what differs is named, so that whatever the API server knows of an object beyond what it showed us stays. Source: RFC 6902
 * (operations), RFC 6901 (paths).
 */
public final class JsonPatch {
    private final ArrayNode steps = JsonNodeFactory.instance.arrayNode();

    private JsonPatch() {}

    /** The steps, none if both are equal. Each is {@code {"op","path","value"}}, with {@code op} add, remove or replace. */
    public static ArrayNode between(JsonNode before, JsonNode after) {
        JsonPatch patch = new JsonPatch();
        patch.compare("", before, after);
        return patch.steps;
    }

    private void compare(String path, JsonNode before, JsonNode after) {
        if (before.equals(after)) {
            return;
        }
        if (before instanceof ObjectNode one && after instanceof ObjectNode other) {
            compareFields(path, one, other);
        } else if (before instanceof ArrayNode one && after instanceof ArrayNode other && other.size() >= one.size()) {
            compareElements(path, one, other);
        } else {
            step("replace", path).set("value", after);
        }
    }

    private void compareFields(String path, ObjectNode before, ObjectNode after) {
        TreeSet<String> names = new TreeSet<>();
        before.fieldNames().forEachRemaining(names::add);
        after.fieldNames().forEachRemaining(names::add);
        for (String name : names) {
            String field = path + "/" + name.replace("~", "~0").replace("/", "~1");
            JsonNode was = before.get(name);
            JsonNode is = after.get(name);
            if (was == null) {
                step("add", field).set("value", is);
            } else if (is == null) {
                step("remove", field);
            } else {
                compare(field, was, is);
            }
        }
    }

    /** What was put in stands in one run; the elements before and behind it are compared in pairs. */
    private void compareElements(String path, ArrayNode before, ArrayNode after) {
        int start = 0;
        while (start < before.size() && name(before.get(start)).equals(name(after.get(start)))) {
            start++;
        }
        int more = after.size() - before.size();
        for (int i = 0; i < more; i++) {
            step("add", path + "/" + (start + i)).set("value", after.get(start + i));
        }
        for (int i = 0; i < before.size(); i++) {
            int now = i < start ? i : i + more;
            compare(path + "/" + now, before.get(i), after.get(now));
        }
    }

    /** By what elements of Kubernetes' lists are known; a plain value is its own name. */
    private static JsonNode name(JsonNode element) {
        return element.has("name") ? element.get("name") : element;
    }

    private ObjectNode step(String op, String path) {
        return steps.addObject().put("op", op).put("path", path);
    }
}
