package dev.tulle.smi;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.stream.StreamSupport;

/**
 * As much of a Kubernetes structural schema as our definitions use: it says what the API server would refuse, and prunes as it does.
 *
 * <p>A keyword it does not know fails, so that no schema is checked by half. Source: Kubernetes, "Extend the Kubernetes API with
 * CustomResourceDefinitions", sections on structural schemas and on field pruning.
 */
public record StructuralSchema(JsonNode root) {
    private static final Set<String> KEYWORDS = Set.of(
            "description",
            "type",
            "required",
            "properties",
            "items",
            "enum",
            "minimum",
            "maximum",
            "pattern",
            "x-kubernetes-int-or-string",
            "x-kubernetes-preserve-unknown-fields");

    /** What is no structural schema in this one. */
    public List<String> faults() {
        List<String> faults = new ArrayList<>();
        collectFaults(root, "", faults);
        return faults;
    }

    private static void collectFaults(JsonNode schema, String path, List<String> faults) {
        schema.fieldNames().forEachRemaining(keyword -> {
            if (!KEYWORDS.contains(keyword)) {
                faults.add(path + ": keyword " + keyword);
            }
        });
        boolean untyped =
                schema.has("x-kubernetes-int-or-string") || schema.has("x-kubernetes-preserve-unknown-fields");
        if (untyped == schema.has("type")) {
            faults.add(path + ": type is " + schema.path("type"));
        }
        if (schema.path("type").asText().equals("array") != schema.has("items")) {
            faults.add(path + ": items");
        }
        schema.path("properties")
                .properties()
                .forEach(each -> collectFaults(each.getValue(), path + "." + each.getKey(), faults));
        if (schema.has("items")) {
            collectFaults(schema.get("items"), path + "[]", faults);
        }
    }

    /** What the API server would say against an object; empty if it takes it. */
    public List<String> refusals(JsonNode object) {
        List<String> refusals = new ArrayList<>();
        validate(root, object, "", refusals);
        return refusals;
    }

    private static void validate(JsonNode schema, JsonNode value, String path, List<String> refusals) {
        if (!hasType(schema, value)) {
            refusals.add(
                    "%s: %s is no %s".formatted(path, value, schema.path("type").asText("int-or-string")));
            return;
        }
        for (JsonNode name : schema.path("required")) {
            if (!value.has(name.asText())) {
                refusals.add("%s.%s: required".formatted(path, name.asText()));
            }
        }
        if (schema.has("enum")
                && StreamSupport.stream(schema.get("enum").spliterator(), false).noneMatch(value::equals)) {
            refusals.add("%s: %s not in enum".formatted(path, value));
        }
        if (value.isNumber()
                && (value.asLong() < schema.path("minimum").asLong(Long.MIN_VALUE)
                        || value.asLong() > schema.path("maximum").asLong(Long.MAX_VALUE))) {
            refusals.add("%s: %s out of range".formatted(path, value));
        }
        if (value.isTextual()
                && schema.has("pattern")
                && !value.textValue().matches(schema.get("pattern").textValue())) {
            refusals.add("%s: %s against pattern".formatted(path, value));
        }
        value.properties().forEach(field -> {
            if (schema.path("properties").has(field.getKey())) {
                validate(
                        schema.get("properties").get(field.getKey()),
                        field.getValue(),
                        path + "." + field.getKey(),
                        refusals);
            }
        });
        if (schema.has("items")) {
            for (int i = 0; i < value.size(); i++) {
                validate(schema.get("items"), value.get(i), path + "[" + i + "]", refusals);
            }
        }
    }

    private static boolean hasType(JsonNode schema, JsonNode value) {
        if (schema.path("x-kubernetes-int-or-string").asBoolean()) {
            return value.isIntegralNumber() || value.isTextual();
        }
        return switch (schema.path("type").asText()) {
            case "object" -> value.isObject();
            case "array" -> value.isArray();
            case "string" -> value.isTextual();
            case "integer" -> value.isIntegralNumber();
            default -> schema.path("x-kubernetes-preserve-unknown-fields").asBoolean();
        };
    }

    /** What the API server would store of an object. */
    public JsonNode pruned(JsonNode object) {
        JsonNode copy = object.deepCopy();
        prune(root, copy, true);
        return copy;
    }

    private static void prune(JsonNode schema, JsonNode value, boolean isRoot) {
        if (schema.path("x-kubernetes-preserve-unknown-fields").asBoolean()) {
            return;
        }
        if (value instanceof ObjectNode fields) {
            for (Iterator<String> names = fields.fieldNames(); names.hasNext(); ) {
                String name = names.next();
                if (isRoot && name.equals("metadata")) {
                    continue;
                }
                if (schema.path("properties").has(name)) {
                    prune(schema.get("properties").get(name), fields.get(name), false);
                } else {
                    names.remove();
                }
            }
        }
        if (value.isArray()) {
            value.forEach(element -> prune(schema.path("items"), element, false));
        }
    }
}
