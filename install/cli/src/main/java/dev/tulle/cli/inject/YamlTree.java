package dev.tulle.cli.inject;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.StringReader;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;
import org.yaml.snakeyaml.nodes.Tag;
import org.yaml.snakeyaml.representer.Representer;
import org.yaml.snakeyaml.resolver.Resolver;

/**
 * The documents of a YAML stream: where each part stands in the text, and what it means as JSON.
 *
 * @param root of the document's parts
 * @param value what it means; aliases and merged keys are followed
 */
record YamlTree(Node root, JsonNode value) {
    private static final int MAX_DEPTH = 50;
    private static final int MAX_ALIASES = 100;
    private static final int MAX_VALUES = 1_000_000;
    private static final Pattern OCTAL = Pattern.compile("[-+]?0o?[0-7]+");

    /**
     * Every document, the empty ones left out.
     *
     * @throws IllegalArgumentException if the text is no YAML; the message has line and column
     */
    static List<YamlTree> documents(String text) {
        LoaderOptions options = new LoaderOptions();
        options.setNestingDepthLimit(MAX_DEPTH);
        options.setMaxAliasesForCollections(MAX_ALIASES);
        options.setCodePointLimit(Integer.MAX_VALUE);
        options.setAllowDuplicateKeys(false);
        DumperOptions unused = new DumperOptions();
        Yaml yaml = new Yaml(new SafeConstructor(options), new Representer(unused), unused, options, new TextTimes());
        List<YamlTree> documents = new ArrayList<>();
        try {
            for (Node root : yaml.composeAll(new StringReader(text))) {
                Reading reading = new Reading();
                JsonNode value = reading.value(root, 0);
                if (!value.isNull()) {
                    documents.add(new YamlTree(root, value));
                }
            }
        } catch (YAMLException e) {
            throw new IllegalArgumentException("not YAML: " + e.getMessage(), e);
        }
        return documents;
    }

    /** Takes dates for the text they are, as Kubernetes does. */
    private static final class TextTimes extends Resolver {
        @Override
        protected void addImplicitResolvers() {
            addImplicitResolver(Tag.BOOL, BOOL, "yYnNtTfFoO");
            addImplicitResolver(Tag.INT, INT, "-+0123456789");
            addImplicitResolver(Tag.FLOAT, FLOAT, "-+0123456789.");
            addImplicitResolver(Tag.MERGE, MERGE, "<");
            addImplicitResolver(Tag.NULL, NULL, "~nN\0");
            addImplicitResolver(Tag.NULL, EMPTY, null);
        }
    }

    /** Counts what aliases repeat. */
    private static final class Reading {
        private int values;

        JsonNode value(Node node, int depth) {
            if (++values > MAX_VALUES || depth > MAX_DEPTH) {
                throw new YAMLException("too deep, or too much is repeated by aliases");
            }
            return switch (node) {
                case MappingNode mapping -> object(mapping, depth);
                case SequenceNode sequence -> {
                    ArrayNode array = JsonNodeFactory.instance.arrayNode();
                    for (Node element : sequence.getValue()) {
                        array.add(value(element, depth + 1));
                    }
                    yield array;
                }
                case ScalarNode scalar -> scalar(scalar);
                default -> throw new YAMLException("neither mapping, list nor value: " + node.getStartMark());
            };
        }

        private ObjectNode object(MappingNode mapping, int depth) {
            ObjectNode object = JsonNodeFactory.instance.objectNode();
            for (NodeTuple entry : mapping.getValue()) {
                if (entry.getKeyNode().getTag().equals(Tag.MERGE)) {
                    JsonNode merged = value(entry.getValueNode(), depth + 1);
                    for (JsonNode each : merged.isArray() ? merged : List.of(merged)) {
                        each.properties().forEach(field -> object.putIfAbsent(field.getKey(), field.getValue()));
                    }
                }
            }
            for (NodeTuple entry : mapping.getValue()) {
                if (!entry.getKeyNode().getTag().equals(Tag.MERGE)) {
                    object.set(key(entry), value(entry.getValueNode(), depth + 1));
                }
            }
            return object;
        }
    }

    /** The key of an entry as text. */
    static String key(NodeTuple entry) {
        if (entry.getKeyNode() instanceof ScalarNode scalar) {
            return scalar.getValue();
        }
        throw new YAMLException("a key that is no text: " + entry.getKeyNode().getStartMark());
    }

    private static JsonNode scalar(ScalarNode scalar) {
        String text = scalar.getValue();
        Tag tag = scalar.getTag();
        if (tag.equals(Tag.NULL)) {
            return JsonNodeFactory.instance.nullNode();
        }
        if (tag.equals(Tag.BOOL)) {
            return JsonNodeFactory.instance.booleanNode(
                    List.of("true", "yes", "on", "y").contains(text.toLowerCase(Locale.ROOT)));
        }
        String digits = text.replace("_", "");
        if (tag.equals(Tag.INT) && digits.matches("[-+]?[0-9]+")) {
            BigInteger number = OCTAL.matcher(digits).matches() ? new BigInteger(digits, 8) : new BigInteger(digits);
            return number.bitLength() < Integer.SIZE
                    ? JsonNodeFactory.instance.numberNode(number.intValue())
                    : JsonNodeFactory.instance.numberNode(number);
        }
        if (tag.equals(Tag.FLOAT) && digits.matches("[-+]?[0-9.]+([eE][-+]?[0-9]{1,3})?")) {
            return JsonNodeFactory.instance.numberNode(new BigDecimal(digits));
        }
        return JsonNodeFactory.instance.textNode(text);
    }
}
