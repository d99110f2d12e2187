package dev.tulle.controller.watch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Reads the fields of one document and collects what is wrong with them, each with its path; a field that is wrong reads as absent.
 *
 * <p>Not thread-safe.
 */
final class Fields {
    private final JsonNode node;
    private final String path;
    private final List<BadField> bad;

    /** The field at {@code path} says what it must not. */
    record BadField(String path, String message) {}

    private Fields(JsonNode node, String path, List<BadField> bad) {
        this.node = node;
        this.path = path;
        this.bad = bad;
    }

    static Fields of(JsonNode document) {
        return new Fields(document, "", new ArrayList<>());
    }

    /** Everything wrong so far, in this and all other parts of the document. */
    List<BadField> bad() {
        return List.copyOf(bad);
    }

    String path() {
        return path;
    }

    String path(String name) {
        return path.isEmpty() ? name : path + "." + name;
    }

    void bad(String name, String message) {
        bad.add(new BadField(name.isEmpty() ? path : path(name), message));
    }

    boolean has(String name) {
        return !node.path(name).isMissingNode() && !node.path(name).isNull();
    }

    /** Refuses fields that are not among {@code known}: a misspelt field must not read as an absent one. */
    void only(String... known) {
        node.fieldNames().forEachRemaining(name -> {
            if (!List.of(known).contains(name)) {
                bad(name, "no such field; there are %s".formatted(String.join(", ", known)));
            }
        });
    }

    /** A part that is a mapping; empty when absent. */
    Fields object(String name) {
        JsonNode value = node.path(name);
        if (has(name) && !value.isObject()) {
            bad(name, "is not a mapping");
        }
        return new Fields(value.isObject() ? value : MissingNode.getInstance(), path(name), bad);
    }

    /** The mappings of a list; empty when absent. */
    List<Fields> objects(String name) {
        List<Fields> items = new ArrayList<>();
        for (JsonNode item : list(name)) {
            String itemPath = path(name) + "[" + items.size() + "]";
            if (!item.isObject()) {
                bad.add(new BadField(itemPath, "is not a mapping"));
            }
            items.add(new Fields(item.isObject() ? item : MissingNode.getInstance(), itemPath, bad));
        }
        return items;
    }

    /** The texts of a list; empty when absent. */
    List<String> texts(String name) {
        List<String> items = new ArrayList<>();
        for (JsonNode item : list(name)) {
            items.add(item.asText());
        }
        return items;
    }

    private Iterable<JsonNode> list(String name) {
        JsonNode value = node.path(name);
        if (has(name) && !value.isArray()) {
            bad(name, "is not a list");
        }
        return value.isArray() ? value : List.of();
    }

    /** A mapping of words to words, as labels are; numbers and booleans read as the words they are. */
    SortedMap<String, String> words(String name) {
        SortedMap<String, String> words = new TreeMap<>();
        JsonNode value = node.path(name);
        if (has(name) && !value.isObject()) {
            bad(name, "is not a mapping");
            return words;
        }
        for (Map.Entry<String, JsonNode> entry : value.properties()) {
            if (entry.getValue().isContainerNode()) {
                bad(name + "." + entry.getKey(), "is not a word");
            } else {
                words.put(entry.getKey(), entry.getValue().asText(""));
            }
        }
        return words;
    }

    /** A word; numbers and booleans read as the words they are. */
    Optional<String> text(String name) {
        if (!has(name)) {
            return Optional.empty();
        }
        if (node.path(name).isContainerNode()) {
            bad(name, "is not a word");
            return Optional.empty();
        }
        return Optional.of(node.path(name).asText());
    }

    /** A word that must be there and not be empty; reads as empty when it is not. */
    String required(String name) {
        Optional<String> value = text(name);
        if (value.isEmpty() && !has(name)) {
            bad(name, "is missing");
        } else if (value.filter(String::isEmpty).isPresent()) {
            bad(name, "is empty");
        }
        return value.orElse("");
    }

    /** A whole number in a range, written as a number or as text. */
    Optional<Integer> whole(String name, int least, int most) {
        if (!has(name)) {
            return Optional.empty();
        }
        JsonNode value = node.path(name);
        try {
            int number = Integer.parseInt(value.asText());
            if (number >= least && number <= most) {
                return Optional.of(number);
            }
        } catch (NumberFormatException e) {
            // said below
        }
        bad(
                name,
                "%s is not a whole number from %d to %d"
                        .formatted(value.isContainerNode() ? "a " + value.getNodeType() : value.asText(), least, most));
        return Optional.empty();
    }

    /** One of some words. */
    Optional<String> oneOf(String name, Set<String> words) {
        return text(name).filter(word -> {
            boolean known = words.contains(word);
            if (!known) {
                bad(name, "'%s' is not one of %s".formatted(word, String.join(", ", words)));
            }
            return known;
        });
    }
}
