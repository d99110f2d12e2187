package dev.tulle.cli.inject;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.yaml.snakeyaml.DumperOptions.FlowStyle;
import org.yaml.snakeyaml.nodes.CollectionNode;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;

/**
 * Changes the text of a YAML document only where its meaning changes, so that comments and layout stay.
 *
 * <p>What is put in follows the style of what is around it. Some texts cannot be changed so (an alias that is used elsewhere, odd layouts):
 * whoever calls reads the result again and compares.
 */
final class YamlEdit {
    private final String text;
    private final String newline;
    private final List<Change> changes = new ArrayList<>();

    /** Characters from {@code start} to {@code end} give way to {@code instead}. */
    private record Change(int start, int end, String instead) {}

    private YamlEdit(String text) {
        this.text = text;
        this.newline = text.contains("\r\n") ? "\r\n" : "\n";
    }

    /**
     * The whole text with some documents changed.
     *
     * @param text of the stream
     * @param documents of it that change, each to its new meaning
     * @param anew those of them that are written as a whole
     */
    static String edited(String text, Map<YamlTree, JsonNode> documents, Set<YamlTree> anew) {
        YamlEdit edit = new YamlEdit(text);
        documents.forEach((document, after) -> {
            if (anew.contains(document)) {
                Node root = document.root();
                edit.changes.add(new Change(edit.start(root), edit.end(root), edit.indented(YamlText.lines(after), 0)));
            } else {
                edit.change(document.root(), document.value(), after);
            }
        });
        // From the end; of two at one place the outer one, which was noted later, first, so that it ends up behind the
        // inner one.
        Collections.reverse(edit.changes);
        edit.changes.sort(Comparator.comparingInt(Change::start).reversed());
        StringBuilder result = new StringBuilder(text);
        for (Change change : edit.changes) {
            result.replace(change.start(), change.end(), change.instead());
        }
        return result.toString();
    }

    private void change(Node node, JsonNode before, JsonNode after) {
        if (before.equals(after)) {
            return;
        }
        if (node instanceof MappingNode mapping
                && after.isObject()
                && !mapping.getValue().isEmpty()) {
            changeEntries(mapping, before, after);
        } else if (node instanceof SequenceNode list
                && after.isArray()
                && !list.getValue().isEmpty()) {
            changeElements(list, before, after);
        } else {
            replace(node, after);
        }
    }

    private void changeEntries(MappingNode mapping, JsonNode before, JsonNode after) {
        Map<String, JsonNode> added = new LinkedHashMap<>();
        after.properties().forEach(field -> {
            if (!before.has(field.getKey())) {
                added.put(field.getKey(), field.getValue());
            }
        });
        List<NodeTuple> removed = new ArrayList<>();
        for (NodeTuple entry : mapping.getValue()) {
            String key = YamlTree.key(entry);
            if (!before.has(key)) {
                continue; // a merge
            }
            if (after.has(key)) {
                change(entry.getValueNode(), before.path(key), after.path(key));
            } else {
                removed.add(entry);
            }
        }
        boolean isFlow = mapping.getFlowStyle() == FlowStyle.FLOW;
        if (!added.isEmpty() && !removed.isEmpty()) {
            // In the place of the first one that goes.
            NodeTuple first = removed.removeFirst();
            int column = first.getKeyNode().getStartMark().getColumn();
            changes.add(new Change(
                    start(first.getKeyNode()),
                    end(first.getValueNode()),
                    isFlow ? flowEntries(added) : indented(entries(added), column)));
        } else if (!added.isEmpty()) {
            add(mapping, isFlow, added);
        }
        remove(mapping, removed, isFlow);
    }

    private void add(MappingNode mapping, boolean isFlow, Map<String, JsonNode> added) {
        Node last = mapping.getValue().getLast().getValueNode();
        if (isFlow) {
            changes.add(new Change(end(last), end(last), ", " + flowEntries(added)));
        } else {
            int column =
                    mapping.getValue().getFirst().getKeyNode().getStartMark().getColumn();
            insertAfterLineOf(last, entries(added), column);
        }
    }

    private void changeElements(SequenceNode list, JsonNode before, JsonNode after) {
        boolean isFlow = list.getFlowStyle() == FlowStyle.FLOW;
        List<Node> nodes = list.getValue();
        Set<Integer> kept = new LinkedHashSet<>();
        int next = 0;
        List<JsonNode> run = new ArrayList<>();
        for (JsonNode element : after) {
            int match = next;
            while (match < before.size() && !name(before.get(match)).equals(name(element))) {
                match++;
            }
            if (match == before.size()) {
                run.add(element);
                continue;
            }
            insert(list, match, run, isFlow);
            run.clear();
            change(nodes.get(match), before.get(match), element);
            kept.add(match);
            next = match + 1;
        }
        insert(list, nodes.size(), run, isFlow);
        if (kept.isEmpty()) {
            replace(list, after);
            return;
        }
        for (int i = 0; i < nodes.size(); i++) {
            if (!kept.contains(i)) {
                removeElement(list, i, isFlow);
            }
        }
    }

    /** By what elements are known again: the name of a container or volume, kind and name of a listed object. */
    private static JsonNode name(JsonNode element) {
        if (element.has("name")) {
            return element.get("name");
        }
        JsonNode metadata = element.path("metadata");
        return metadata.has("name")
                ? JsonNodeFactory.instance
                        .objectNode()
                        .put("name", metadata.get("name").asText())
                        .put("kind", element.path("kind").asText())
                : element;
    }

    private void insert(SequenceNode list, int index, List<JsonNode> elements, boolean isFlow) {
        if (elements.isEmpty()) {
            return;
        }
        List<Node> nodes = list.getValue();
        if (isFlow) {
            String items =
                    String.join(", ", elements.stream().map(JsonNode::toString).toList());
            if (index < nodes.size()) {
                changes.add(new Change(start(nodes.get(index)), start(nodes.get(index)), items + ", "));
            } else {
                changes.add(new Change(end(nodes.getLast()), end(nodes.getLast()), ", " + items));
            }
            return;
        }
        List<String> lines = new ArrayList<>();
        elements.forEach(element -> lines.addAll(YamlText.element(element)));
        int column = column(dash(nodes.getFirst()));
        if (index < nodes.size()) {
            int at = dash(nodes.get(index));
            changes.add(new Change(at, at, indented(lines, column) + newline + " ".repeat(column)));
        } else {
            insertAfterLineOf(nodes.getLast(), lines, column);
        }
    }

    private void removeElement(SequenceNode list, int index, boolean isFlow) {
        List<Node> nodes = list.getValue();
        if (isFlow) {
            boolean isLast = index == nodes.size() - 1;
            changes.add(
                    isLast
                            ? new Change(end(nodes.get(index - 1)), end(nodes.get(index)), "")
                            : new Change(start(nodes.get(index)), start(nodes.get(index + 1)), ""));
        } else if (index < nodes.size() - 1) {
            changes.add(new Change(dash(nodes.get(index)), dash(nodes.get(index + 1)), ""));
        } else {
            changes.add(new Change(end(nodes.get(index - 1)), end(nodes.get(index)), ""));
        }
    }

    /** Takes entries out, neighbours as one piece. */
    private void remove(MappingNode mapping, List<NodeTuple> removed, boolean isFlow) {
        List<NodeTuple> entries = mapping.getValue();
        int index = 0;
        while (index < entries.size()) {
            if (!removed.contains(entries.get(index))) {
                index++;
                continue;
            }
            int first = index;
            while (index < entries.size() && removed.contains(entries.get(index))) {
                index++;
            }
            int start = start(entries.get(first).getKeyNode());
            if (index < entries.size()) {
                changes.add(new Change(start, start(entries.get(index).getKeyNode()), ""));
            } else if (first > 0) {
                int from = end(entries.get(first - 1).getValueNode());
                int end = end(entries.get(index - 1).getValueNode());
                changes.add(new Change(isFlow ? from : Math.max(from, lineEnd(from)), end, ""));
            } else {
                replace(mapping, JsonNodeFactory.instance.objectNode());
            }
        }
    }

    private void replace(Node node, JsonNode after) {
        boolean isEmpty = start(node) == end(node);
        changes.add(new Change(start(node), end(node), (isEmpty ? " " : "") + after));
    }

    /** Puts lines behind the line on which something ends, whatever comment stands there. */
    private void insertAfterLineOf(Node node, List<String> lines, int column) {
        int at = lineEnd(end(node));
        changes.add(new Change(at, at, newline + " ".repeat(column) + indented(lines, column)));
    }

    private int lineEnd(int from) {
        int end = text.indexOf('\n', from);
        int at = end < 0 ? text.length() : end;
        return at > from && text.charAt(at - 1) == '\r' ? at - 1 : at;
    }

    private static List<String> entries(Map<String, JsonNode> added) {
        List<String> lines = new ArrayList<>();
        added.forEach((key, value) -> lines.addAll(YamlText.entry(key, value)));
        return lines;
    }

    private static String flowEntries(Map<String, JsonNode> added) {
        return String.join(
                ", ",
                added.entrySet().stream()
                        .map(entry -> YamlText.flowEntry(entry.getKey(), entry.getValue()))
                        .toList());
    }

    /** The first line stands already where it should. */
    private String indented(List<String> lines, int column) {
        return String.join(newline + " ".repeat(column), lines);
    }

    private int start(Node node) {
        return offset(node.getStartMark().getIndex());
    }

    /** Behind the last character that belongs to a node. */
    private int end(Node node) {
        Node last = lastOf(node);
        int end = offset(last.getEndMark().getIndex());
        boolean isBlockText = last instanceof ScalarNode;
        while (isBlockText && end > start(last) && Character.isWhitespace(text.charAt(end - 1))) {
            end--;
        }
        return end;
    }

    /** The part with which a node in block style ends. */
    private static Node lastOf(Node node) {
        if (node instanceof CollectionNode<?> collection && collection.getFlowStyle() != FlowStyle.FLOW) {
            if (node instanceof MappingNode mapping && !mapping.getValue().isEmpty()) {
                return lastOf(mapping.getValue().getLast().getValueNode());
            }
            if (node instanceof SequenceNode list && !list.getValue().isEmpty()) {
                return lastOf(list.getValue().getLast());
            }
        }
        return node;
    }

    /** The dash before an element. */
    private int dash(Node element) {
        int at = start(element) - 1;
        while (at > 0 && text.charAt(at) != '-') {
            at--;
        }
        return at;
    }

    private int column(int offset) {
        return offset - (text.lastIndexOf('\n', offset - 1) + 1);
    }

    /** Marks count code points. */
    private int offset(int codePoints) {
        return text.offsetByCodePoints(0, codePoints);
    }
}
