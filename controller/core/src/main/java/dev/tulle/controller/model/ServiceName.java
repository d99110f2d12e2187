package dev.tulle.controller.model;

import static java.util.Objects.requireNonNull;

import java.util.Comparator;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Name of a Service; text form {@code namespace/name}, which is also the name of its cluster. */
public record ServiceName(String namespace, String name) implements Comparable<ServiceName> {
    private static final Comparator<ServiceName> ORDER =
            Comparator.comparing(ServiceName::namespace).thenComparing(ServiceName::name);

    private static final String LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
    private static final Pattern FORMS =
            Pattern.compile("(%1$s)(?:\\.(%1$s)(?:\\.svc(?:\\.[a-z0-9.-]{1,200})?)?)?\\.?".formatted(LABEL));

    public ServiceName {
        requireNonNull(namespace, "namespace");
        requireNonNull(name, "name");
    }

    /**
     * Reads {@code name}, {@code name.namespace}, {@code name.namespace.svc} or a fully qualified name, each with or without a final
     * dot.
     *
     * @param namespace of a name alone
     */
    public static Optional<ServiceName> parse(String text, String namespace) {
        Matcher form = FORMS.matcher(text);
        if (!form.matches()) {
            return Optional.empty();
        }
        return Optional.of(new ServiceName(form.group(2) == null ? namespace : form.group(2), form.group(1)));
    }

    @Override
    public int compareTo(ServiceName other) {
        return ORDER.compare(this, other);
    }

    @Override
    public String toString() {
        return namespace + "/" + name;
    }
}
