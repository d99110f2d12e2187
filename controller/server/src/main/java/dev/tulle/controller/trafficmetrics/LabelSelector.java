package dev.tulle.controller.trafficmetrics;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Which labels are asked for; all requirements must hold. Source: Kubernetes' "Labels and Selectors". */
record LabelSelector(List<Requirement> requirements) {
    private static final String KEY = "[A-Za-z0-9][A-Za-z0-9._/-]{0,316}";
    private static final String VALUE = "[A-Za-z0-9._-]{0,63}";
    private static final Pattern EXISTS = Pattern.compile("(!?)\\s*(%s)".formatted(KEY));
    private static final Pattern EQUALS = Pattern.compile("(%s)\\s*(==?|!=)\\s*(%s)".formatted(KEY, VALUE));
    private static final Pattern IN = Pattern.compile("(%s)\\s+(in|notin)\\s*\\(([^()]*)\\)".formatted(KEY));
    /** A comma that is not between parentheses. */
    private static final Pattern COMMA = Pattern.compile(",(?![^()]*\\))");

    private static final int LONGEST = 4096;

    LabelSelector {
        requirements = List.copyOf(requirements);
    }

    /** One condition; {@code values} are empty where only the key counts. */
    record Requirement(String key, Operator operator, List<String> values) {
        Requirement {
            requireNonNull(key, "key");
            requireNonNull(operator, "operator");
            values = List.copyOf(values);
        }

        boolean holds(Map<String, String> labels) {
            return switch (operator) {
                case IN -> labels.containsKey(key) && values.contains(labels.get(key));
                case NOT_IN -> !labels.containsKey(key) || !values.contains(labels.get(key));
                case EXISTS -> labels.containsKey(key);
                case DOES_NOT_EXIST -> !labels.containsKey(key);
            };
        }
    }

    enum Operator {
        IN("In"),
        NOT_IN("NotIn"),
        EXISTS("Exists"),
        DOES_NOT_EXIST("DoesNotExist");

        private final String word;

        Operator(String word) {
            this.word = word;
        }
    }

    /**
     * Reads the text form, {@code app=web,tier in (a,b),!canary}; empty text asks for nothing.
     *
     * @throws IllegalArgumentException with a sentence for people when it is none
     */
    static LabelSelector parse(String text) {
        List<Requirement> requirements = new ArrayList<>();
        if (text.length() > LONGEST) {
            throw new IllegalArgumentException("labelSelector is longer than %d characters.".formatted(LONGEST));
        }
        for (String part : text.isBlank() ? new String[0] : COMMA.split(text, -1)) {
            requirements.add(requirement(part.strip()));
        }
        return new LabelSelector(requirements);
    }

    private static Requirement requirement(String text) {
        Matcher equals = EQUALS.matcher(text);
        if (equals.matches()) {
            Operator operator = equals.group(2).equals("!=") ? Operator.NOT_IN : Operator.IN;
            return new Requirement(equals.group(1), operator, List.of(equals.group(3)));
        }
        Matcher in = IN.matcher(text);
        if (in.matches()) {
            List<String> values =
                    Arrays.stream(in.group(3).split(",", -1)).map(String::strip).toList();
            return new Requirement(in.group(1), in.group(2).equals("in") ? Operator.IN : Operator.NOT_IN, values);
        }
        Matcher exists = EXISTS.matcher(text);
        if (exists.matches()) {
            return new Requirement(
                    exists.group(2), exists.group(1).isEmpty() ? Operator.EXISTS : Operator.DOES_NOT_EXIST, List.of());
        }
        throw new IllegalArgumentException(
                "labelSelector has '%s', which is none of key=value, key!=value, key in (a,b), key notin (a,b), key, !key."
                        .formatted(text));
    }

    boolean isEmpty() {
        return requirements.isEmpty();
    }

    boolean holds(Map<String, String> labels) {
        return requirements.stream().allMatch(requirement -> requirement.holds(labels));
    }

    /** As a LabelSelector of Kubernetes' API machinery. */
    ObjectNode json() {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        for (Requirement requirement : requirements) {
            ObjectNode labels = json.withObjectProperty("matchLabels");
            if (requirement.operator() == Operator.IN
                    && requirement.values().size() == 1
                    && !labels.has(requirement.key())) {
                labels.put(requirement.key(), requirement.values().getFirst());
            } else {
                ObjectNode expression = json.withArrayProperty("matchExpressions")
                        .addObject()
                        .put("key", requirement.key())
                        .put("operator", requirement.operator().word);
                if (!requirement.values().isEmpty()) {
                    requirement.values().forEach(expression.putArray("values")::add);
                }
            }
        }
        return json;
    }
}
