package dev.tulle.cli.inject;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** JSON trees as YAML in block style. */
final class YamlText {
    /** Text that can stand without quotes: nothing in it is punctuation of YAML, or could be taken for another type. */
    private static final Pattern PLAIN =
            Pattern.compile("(?:--?)?(?:[0-9]+(?=m|Mi|Gi|h|s))?[A-Za-z/][-A-Za-z0-9_./=$()]*(?::[-A-Za-z0-9_./]+)*");

    private static final Pattern WORD = Pattern.compile("y|n|yes|no|on|off|true|false|null", Pattern.CASE_INSENSITIVE);

    private YamlText() {}

    /** A whole document, with a line end behind it. */
    static String document(JsonNode value) {
        return String.join("\n", lines(value)) + "\n";
    }

    /** Lines of a value that stands on lines of its own, at the left margin. */
    static List<String> lines(JsonNode value) {
        List<String> lines = new ArrayList<>();
        if (value.isObject() && !value.isEmpty()) {
            value.properties().forEach(field -> lines.addAll(entry(field.getKey(), field.getValue())));
        } else if (value.isArray() && !value.isEmpty()) {
            value.forEach(element -> lines.addAll(element(element)));
        } else {
            lines.add(flow(value));
        }
        return lines;
    }

    /** Lines of one entry of a mapping. */
    static List<String> entry(String key, JsonNode value) {
        List<String> lines = new ArrayList<>();
        if (value.isContainerNode() && !value.isEmpty()) {
            lines.add(scalar(key) + ":");
            lines(value).forEach(line -> lines.add("  " + line));
        } else {
            lines.add(scalar(key) + ": " + flow(value));
        }
        return lines;
    }

    /** Lines of one element of a list, the first with its dash. */
    static List<String> element(JsonNode value) {
        List<String> lines = new ArrayList<>();
        for (String line : lines(value)) {
            lines.add((lines.isEmpty() ? "- " : "  ") + line);
        }
        return lines;
    }

    /** A value in one line; JSON is YAML, too. */
    static String flow(JsonNode value) {
        return value.isTextual() ? scalar(value.textValue()) : value.toString();
    }

    /** One entry in one line. */
    static String flowEntry(String key, JsonNode value) {
        return "\"%s\": %s".formatted(key, value);
    }

    private static String scalar(String text) {
        return PLAIN.matcher(text).matches() && !WORD.matcher(text).matches()
                ? text
                : TextNode.valueOf(text).toString();
    }
}
