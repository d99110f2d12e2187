package dev.tulle.controller.watch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.io.StringReader;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.Mark;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;
import org.yaml.snakeyaml.nodes.Tag;
import org.yaml.snakeyaml.representer.Representer;
import org.yaml.snakeyaml.resolver.Resolver;

/** The documents of one YAML or JSON file, with the line of every field. */
sealed interface YamlFile {
    /** Most values in one file, counting what aliases repeat. */
    int MAX_VALUES = 200_000;

    /** An escape sequence inside a JSON string. */
    Pattern ESCAPE = Pattern.compile("\\\\.");

    /** Deepest nesting. */
    int MAX_DEPTH = 50;

    /** What stands in a file that could be read; empty documents are left out. */
    record Documents(List<Document> documents) implements YamlFile {
        public Documents {
            documents = List.copyOf(documents);
        }
    }

    /**
     * One document.
     *
     * @param content its value
     * @param lines line from 1 by field path, as in {@link dev.tulle.controller.resources.Origin}
     */
    record Document(JsonNode content, SortedMap<String, Integer> lines) {
        /** One of the {@code items} of a list, as if it were a document of its own. */
        Document item(int index) {
            String prefix = "items[" + index + "]";
            SortedMap<String, Integer> inside = new TreeMap<>();
            lines.forEach((path, line) -> {
                if (path.equals(prefix)) {
                    inside.put("", line);
                } else if (path.startsWith(prefix + ".")) {
                    inside.put(path.substring(prefix.length() + 1), line);
                }
            });
            return new Document(content.path("items").path(index), inside);
        }
    }

    /**
     * A file that cannot be read.
     *
     * @param line from 1, 0 when unknown
     * @param column from 1, 0 when unknown
     * @param field path of the field that was being read, or empty
     * @param message what is wrong
     */
    record Unreadable(int line, int column, String field, String message) implements YamlFile {}

    /** Reads the text of a file; JSON is read as the YAML it is. */
    static YamlFile read(String text) {
        LoaderOptions options = new LoaderOptions();
        options.setNestingDepthLimit(MAX_DEPTH);
        options.setMaxAliasesForCollections(1000);
        options.setCodePointLimit(Integer.MAX_VALUE);
        DumperOptions unused = new DumperOptions();
        Yaml yaml = new Yaml(new SafeConstructor(options), new Representer(unused), unused, options, new PlainTimes());
        List<Document> documents = new ArrayList<>();
        try {
            Converter converter = new Converter();
            for (Node node : yaml.composeAll(new StringReader(isJson(text) ? asYaml(text) : text))) {
                SortedMap<String, Integer> lines = new TreeMap<>();
                lines.put("", line(node));
                JsonNode content = converter.convert(node, "", lines, 0);
                if (!content.isNull()) {
                    documents.add(new Document(content, lines));
                }
            }
            return new Documents(documents);
        } catch (BadYaml e) {
            return e.problem;
        } catch (MarkedYAMLException e) {
            Mark mark = e.getProblemMark();
            String context = e.getContext() == null || e.getContextMark() == null
                    ? ""
                    : " (%s, which begins at line %d)"
                            .formatted(e.getContext(), e.getContextMark().getLine() + 1);
            return new Unreadable(
                    mark == null ? 0 : mark.getLine() + 1,
                    mark == null ? 0 : mark.getColumn() + 1,
                    "",
                    "not YAML: " + e.getProblem() + context);
        } catch (YAMLException e) {
            return new Unreadable(0, 0, "", "not YAML: " + firstLine(String.valueOf(e.getMessage())));
        }
    }

    private static boolean isJson(String text) {
        return text.stripLeading().startsWith("{");
    }

    /** What JSON has and our YAML reader does not want: tabs, which stand between tokens only, and an escaped slash. */
    private static String asYaml(String json) {
        return ESCAPE.matcher(json.replace('\t', ' '))
                .replaceAll(escape -> escape.group().equals("\\/") ? "/" : Matcher.quoteReplacement(escape.group()));
    }

    private static String firstLine(String text) {
        return text.lines().findFirst().orElse("");
    }

    private static int line(Node node) {
        return node.getStartMark().getLine() + 1;
    }

    /** Leaves dates as the text they are: no kind we read has one that is not a string. */
    final class PlainTimes extends Resolver {
        @Override
        public void addImplicitResolver(Tag tag, Pattern regexp, String first, int limit) {
            if (!tag.equals(Tag.TIMESTAMP)) {
                super.addImplicitResolver(tag, regexp, first, limit);
            }
        }
    }

    /** A document that is YAML but not one value: a key twice, an unknown tag, too much of it. */
    final class BadYaml extends RuntimeException {
        private final transient Unreadable problem;

        BadYaml(Node at, String field, String message) {
            super(message);
            Mark mark = at.getStartMark();
            problem = new Unreadable(mark.getLine() + 1, mark.getColumn() + 1, field, message);
        }
    }

    /** Turns nodes into JSON values and notes where each stands. */
    final class Converter {
        private static final int MAX_DIGITS = 40;
        private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
        private int values;

        JsonNode convert(Node node, String path, SortedMap<String, Integer> lines, int depth) {
            if (++values > MAX_VALUES) {
                throw new BadYaml(node, path, "more than %d values in one file; split it".formatted(MAX_VALUES));
            }
            if (depth > MAX_DEPTH) {
                throw new BadYaml(node, path, "nested deeper than %d".formatted(MAX_DEPTH));
            }
            return switch (node) {
                case MappingNode mapping -> object(mapping, path, lines, depth);
                case SequenceNode sequence -> {
                    ArrayNode array = JSON.arrayNode();
                    for (Node item : sequence.getValue()) {
                        String itemPath = path + "[" + array.size() + "]";
                        lines.put(itemPath, line(item));
                        array.add(convert(item, itemPath, lines, depth + 1));
                    }
                    yield array;
                }
                case ScalarNode scalar -> scalar(scalar, path);
                default -> throw new BadYaml(node, path, "not a value");
            };
        }

        private ObjectNode object(MappingNode mapping, String path, SortedMap<String, Integer> lines, int depth) {
            Map<String, NodeTuple> own = new LinkedHashMap<>();
            Map<String, NodeTuple> merged = new LinkedHashMap<>();
            for (NodeTuple tuple : mapping.getValue()) {
                if (tuple.getKeyNode().getTag().equals(Tag.MERGE)) {
                    merge(tuple.getValueNode(), path, merged, depth);
                    continue;
                }
                String key = key(tuple, path);
                if (own.put(key, tuple) != null) {
                    throw new BadYaml(tuple.getKeyNode(), child(path, key), "'%s' stands here twice".formatted(key));
                }
            }
            merged.forEach(own::putIfAbsent);
            ObjectNode object = JSON.objectNode();
            own.forEach((key, tuple) -> {
                String childPath = child(path, key);
                lines.put(childPath, line(tuple.getKeyNode()));
                object.set(key, convert(tuple.getValueNode(), childPath, lines, depth + 1));
            });
            return object;
        }

        private void merge(Node from, String path, Map<String, NodeTuple> into, int depth) {
            if (++values > MAX_VALUES || depth > MAX_DEPTH) {
                throw new BadYaml(from, path, "'<<' merges too much");
            }
            switch (from) {
                case MappingNode mapping -> {
                    for (NodeTuple tuple : mapping.getValue()) {
                        if (tuple.getKeyNode().getTag().equals(Tag.MERGE)) {
                            merge(tuple.getValueNode(), path, into, depth + 1);
                        } else {
                            into.putIfAbsent(key(tuple, path), tuple);
                        }
                    }
                }
                case SequenceNode sequence -> sequence.getValue().forEach(item -> merge(item, path, into, depth + 1));
                default -> throw new BadYaml(from, path, "'<<' merges something that is no mapping");
            }
        }

        private static String key(NodeTuple tuple, String path) {
            if (tuple.getKeyNode() instanceof ScalarNode scalar) {
                return scalar.getValue();
            }
            throw new BadYaml(tuple.getKeyNode(), path, "a key is not a plain word");
        }

        private static String child(String path, String key) {
            return path.isEmpty() ? key : path + "." + key;
        }

        private static JsonNode scalar(ScalarNode node, String path) {
            String text = node.getValue();
            Tag tag = node.getTag();
            if (tag.equals(Tag.NULL)) {
                return NullNode.instance;
            }
            if (tag.equals(Tag.BOOL)) {
                return BooleanNode.valueOf(
                        switch (text.toLowerCase(Locale.ROOT)) {
                            case "true", "yes", "on" -> true;
                            case "false", "no", "off" -> false;
                            default -> throw new BadYaml(node, path, "'%s' is neither true nor false".formatted(text));
                        });
            }
            if (tag.equals(Tag.INT) || tag.equals(Tag.FLOAT)) {
                return number(text, tag.equals(Tag.INT));
            }
            if (tag.equals(Tag.STR)) {
                return TextNode.valueOf(text);
            }
            throw new BadYaml(node, path, "the tag %s is not known".formatted(tag));
        }

        /** Numbers that no field takes (.inf, 190:20:30, 1e999999) stay text: the reader of the field says so, and quotes it. */
        private static JsonNode number(String text, boolean whole) {
            if (text.length() > MAX_DIGITS) {
                return TextNode.valueOf(text);
            }
            try {
                if (whole) {
                    return JSON.numberNode(integer(text));
                }
                BigDecimal number = new BigDecimal(text.replace("_", ""));
                return Math.abs((long) number.scale()) > MAX_DIGITS ? TextNode.valueOf(text) : JSON.numberNode(number);
            } catch (NumberFormatException e) {
                return TextNode.valueOf(text);
            }
        }

        private static BigInteger integer(String text) {
            String digits = text.replace("_", "");
            boolean negative = digits.startsWith("-");
            if (negative || digits.startsWith("+")) {
                digits = digits.substring(1);
            }
            BigInteger number;
            if (digits.startsWith("0x")) {
                number = new BigInteger(digits.substring(2), 16);
            } else if (digits.startsWith("0b")) {
                number = new BigInteger(digits.substring(2), 2);
            } else if (digits.startsWith("0") && digits.length() > 1) {
                number = new BigInteger(digits.substring(1), 8);
            } else {
                number = new BigInteger(digits);
            }
            return negative ? number.negate() : number;
        }
    }
}
