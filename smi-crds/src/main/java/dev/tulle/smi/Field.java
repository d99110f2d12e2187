package dev.tulle.smi;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * One place of a document, read by what its form should be.
 *
 * <p>A value of another form becomes a problem in {@code findings} and an empty result. A null is as good as absent.
 */
record Field(JsonNode value, String path, Findings findings) {
    private static final Pattern PLAIN = Pattern.compile("[-A-Za-z0-9_]{1,63}");
    private static final Pattern UNPRINTABLE = Pattern.compile("\\p{C}");
    private static final Pattern LABEL = Pattern.compile("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?");
    private static final Pattern SUBDOMAIN = Pattern.compile(LABEL + "(\\." + LABEL + ")*");
    private static final Pattern PORT = Pattern.compile("[1-9][0-9]{0,4}");
    private static final int LONGEST_NAME = 253;
    private static final int LONGEST_QUOTE = 60;

    Field at(String name) {
        String step = PLAIN.matcher(name).matches()
                ? (path.isEmpty() ? "" : ".") + name
                : "[" + shortened(UNPRINTABLE.matcher(name).replaceAll("?")) + "]";
        return new Field(value.path(name), path + step, findings);
    }

    boolean isAbsent() {
        return value.isMissingNode() || value.isNull();
    }

    void problem(String message) {
        findings.problem(path, message);
    }

    void warning(String message) {
        findings.warning(path, message);
    }

    /** The value as messages show it: as JSON, shortened. */
    String quoted() {
        return shortened(value.toString());
    }

    private static String shortened(String text) {
        return text.length() <= LONGEST_QUOTE ? text : text.substring(0, LONGEST_QUOTE) + "…";
    }

    /** Says what is missing, if it is. */
    Field required(String cure) {
        if (isAbsent()) {
            problem("is missing: " + cure);
        }
        return this;
    }

    /** This place if it is an object or absent; refuses every field beside the known ones. */
    Field withOnly(Set<String> known) {
        if (!isAbsent() && !value.isObject()) {
            problem("is %s: write an object with the fields %s".formatted(quoted(), sorted(known)));
        }
        value.fieldNames().forEachRemaining(name -> {
            if (!known.contains(name)) {
                at(name).problem("is no field of this version: remove it or correct its name; here are known: "
                        + sorted(known));
            }
        });
        return this;
    }

    private static String sorted(Set<String> names) {
        return String.join(", ", names.stream().sorted().toList());
    }

    List<Field> elements() {
        if (!isAbsent() && !value.isArray()) {
            problem("is %s: write a list".formatted(quoted()));
        }
        List<Field> elements = new ArrayList<>();
        if (value.isArray()) {
            for (JsonNode element : value) {
                elements.add(new Field(element, path + "[" + elements.size() + "]", findings));
            }
        }
        return elements;
    }

    /** The fields of an object of any names. */
    Map<String, Field> entries() {
        if (!isAbsent() && !value.isObject()) {
            problem("is %s: write an object of names and values".formatted(quoted()));
        }
        Map<String, Field> entries = new LinkedHashMap<>();
        value.fieldNames().forEachRemaining(name -> entries.put(name, at(name)));
        return entries;
    }

    Optional<String> text() {
        if (isAbsent()) {
            return Optional.empty();
        }
        if (!value.isTextual()) {
            problem("is %s: write text%s"
                    .formatted(quoted(), value.isValueNode() ? ", that is, put it in quotes" : ""));
            return Optional.empty();
        }
        return Optional.of(value.textValue());
    }

    /** Text that is not empty. */
    Optional<String> filledText() {
        return text().filter(text -> {
            if (text.isEmpty()) {
                problem("is empty: give it a value");
            }
            return !text.isEmpty();
        });
    }

    /** A name as most Kubernetes objects have it (RFC 1123 subdomain). */
    Optional<String> objectName() {
        return name(SUBDOMAIN, LONGEST_NAME, "a name of lower-case letters, digits, '-' and '.'");
    }

    /** A name as namespaces have it (RFC 1123 label). */
    Optional<String> namespaceName() {
        return name(LABEL, 63, "a name of lower-case letters, digits and '-', at most 63 long");
    }

    private Optional<String> name(Pattern form, int longest, String cure) {
        return filledText().filter(text -> {
            boolean fits = text.length() <= longest && form.matcher(text).matches();
            if (!fits) {
                problem("is %s: write %s".formatted(quoted(), cure));
            }
            return fits;
        });
    }

    /**
     * The plain name of a Service of one namespace, written as {@code name}, {@code name.namespace}, {@code name.namespace.svc} or with the
     * cluster's domain behind, each with or without a trailing dot.
     *
     * @param namespace empty if it is not known
     */
    Optional<String> serviceOf(String namespace) {
        return filledText().flatMap(text -> {
            String host = text.endsWith(".") ? text.substring(0, text.length() - 1) : text;
            List<String> labels = host.length() > LONGEST_NAME ? List.of("") : List.of(host.split("\\.", -1));
            boolean fits =
                    labels.stream().allMatch(label -> LABEL.matcher(label).matches())
                            && (labels.size() < 2
                                    || namespace.isEmpty()
                                    || labels.get(1).equals(namespace))
                            && (labels.size() < 3 || labels.get(2).equals("svc"));
            if (!fits) {
                problem("is %s: write the name of a Service of namespace %s, where this object is"
                        .formatted(quoted(), namespace));
            }
            return fits ? Optional.of(labels.getFirst()) : Optional.empty();
        });
    }

    /** A port number, also in text. */
    Optional<Integer> port() {
        if (isAbsent()) {
            return Optional.empty();
        }
        boolean isNumber = value.isIntegralNumber() || value.isTextual();
        if (isNumber && PORT.matcher(value.asText()).matches() && Ports.isPort(Integer.parseInt(value.asText()))) {
            return Optional.of(Integer.parseInt(value.asText()));
        }
        problem("is %s: write a port number from 1 to 65535".formatted(quoted()));
        return Optional.empty();
    }
}
