package dev.tulle.conformance.smi.harness;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

/** JSON and YAML in and out. */
final class Json {
    static final ObjectMapper MAPPER = new ObjectMapper();
    private static final YAMLMapper YAML = new YAMLMapper();

    private Json() {}

    static JsonNode read(String text) {
        try {
            return MAPPER.readTree(text);
        } catch (JsonProcessingException e) {
            throw new AssertionError("not JSON: " + text, e);
        }
    }

    static String write(Object value) {
        try {
            return MAPPER.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("cannot be written as JSON: " + value, e);
        }
    }

    /** The documents of a YAML text; empty ones are left out. */
    static List<JsonNode> yaml(String text) {
        try (MappingIterator<JsonNode> documents =
                YAML.readerFor(JsonNode.class).readValues(text)) {
            return documents.readAll().stream().filter(JsonNode::isObject).toList();
        } catch (IOException e) {
            throw new UncheckedIOException("not YAML: " + text, e);
        }
    }

    /** What of {@code wanted} is not in {@code found}, each with its path: fields may be more there, lists may not. Empty: all is there. */
    static List<String> missing(JsonNode wanted, JsonNode found, String path) {
        List<String> all = new ArrayList<>();
        if (wanted.isObject() && found.isObject()) {
            wanted.properties()
                    .forEach(field -> all.addAll(
                            missing(field.getValue(), found.path(field.getKey()), path + "." + field.getKey())));
        } else if (wanted.isArray() && found.isArray() && wanted.size() == found.size()) {
            for (int i = 0; i < wanted.size(); i++) {
                all.addAll(missing(wanted.get(i), found.get(i), path + "[" + i + "]"));
            }
        } else if (!wanted.equals(found)) {
            all.add("%s is %s, not %s".formatted(path, found.isMissingNode() ? "absent" : found, wanted));
        }
        return all;
    }
}
