package dev.tulle.cli.inject;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Manifests as text and as what they mean, for whoever changes some of it and keeps the rest as its author wrote it. */
public final class ManifestText {
    /** What separates documents; nothing else in YAML begins a line so. */
    private static final Pattern SEPARATOR = Pattern.compile("(?m)^---(?=\\s|$)[^\\n]*\\n?");

    private ManifestText() {}

    /** The texts of a stream's documents, comments before them included, without what separates them. */
    public static List<String> documents(String stream) {
        List<String> texts = new ArrayList<>();
        Matcher separator = SEPARATOR.matcher(stream);
        int begin = 0;
        while (separator.find()) {
            texts.add(stream.substring(begin, separator.start()));
            begin = separator.end();
        }
        texts.add(stream.substring(begin));
        return texts.stream().filter(text -> !text.isBlank()).toList();
    }

    /**
     * What the text of one document means; empty for nothing but comments.
     *
     * @throws IllegalArgumentException if the text is no YAML; the message has line and column
     */
    public static List<JsonNode> values(String text) {
        return YamlTree.documents(text).stream().map(YamlTree::value).toList();
    }

    /**
     * The text of one document with another meaning; what does not change stays as it is written.
     *
     * @param lost told in one sentence when the layout does not take the change, so that all was written anew
     */
    public static String changed(String text, JsonNode after, Consumer<String> lost) {
        List<YamlTree> trees = YamlTree.documents(text);
        if (trees.size() == 1) {
            if (trees.getFirst().value().equals(after)) {
                return text;
            }
            String edited = YamlEdit.edited(text, Map.of(trees.getFirst(), after), Set.of());
            if (isRead(edited, after)) {
                return edited;
            }
        }
        lost.accept(
                "written anew without its comments, for its layout (aliases, merged keys) does not take the change");
        return written(after);
    }

    /** A document that nobody wrote before. */
    public static String written(JsonNode value) {
        return YamlText.document(value);
    }

    private static boolean isRead(String text, JsonNode wanted) {
        try {
            return values(text).equals(List.of(wanted));
        } catch (IllegalArgumentException e) {
            return false;
        }
    }
}
