package dev.tulle.controller.assemble;

import dev.tulle.controller.model.ServiceName;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The forms in which people write the name of a Service. */
public final class ServiceNames {
    private static final String LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
    private static final Pattern FORMS =
            Pattern.compile("(%1$s)(?:\\.(%1$s)(?:\\.svc(?:\\.[a-z0-9.-]{1,200})?)?)?\\.?".formatted(LABEL));

    private ServiceNames() {}

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
}
