package dev.tulle.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Locale;

/** How single values of the API are written in a table. */
final class Shown {
    private Shown() {}

    /** Text, or empty when it is absent or null. */
    static String text(JsonNode value) {
        return value.isNull() || value.isMissingNode() ? "" : value.asText();
    }

    /** A SPIFFE identity as {@code namespace/serviceaccount}; anything else as it is. */
    static String identity(JsonNode value) {
        return text(value).replaceFirst("^spiffe://[^/]+/ns/([^/]+)/sa/([^/]+)$", "$1/$2");
    }

    /** Requests a second with one digit. */
    static String rate(JsonNode value) {
        return value.isNumber() ? String.format(Locale.ROOT, "%.1f", value.doubleValue()) : "";
    }

    /** A share from 0 to 1 as a percentage that says 100 only when it is whole. */
    static String share(JsonNode value) {
        if (!value.isNumber()) {
            return "";
        }
        double percent = Math.floor(value.doubleValue() * 10_000) / 100;
        return percent >= 100 ? "100%" : String.format(Locale.ROOT, "%.2f%%", percent);
    }

    /** Milliseconds, with a digit below ten. */
    static String millis(JsonNode value) {
        return value.isNumber()
                ? String.format(Locale.ROOT, value.doubleValue() < 10 ? "%.1fms" : "%.0fms", value.doubleValue())
                : "";
    }

    /** What should not be, a second, with one digit: empty for none at all, and never 0.0 for some. */
    static String fault(JsonNode value) {
        if (!value.isNumber() || value.doubleValue() == 0) {
            return "";
        }
        return value.doubleValue() < 0.05 ? "<0.1" : rate(value);
    }

    static String yesNo(JsonNode value) {
        return value.isBoolean() ? value.booleanValue() ? "yes" : "no" : "";
    }

    /** How long from {@code now} to the time in {@code value}: {@code 23h}, {@code 89d}, {@code expired}. */
    static String until(JsonNode value, Instant now) {
        Instant at = instant(value);
        return at == null ? "" : at.isAfter(now) ? length(Duration.between(now, at)) : "expired";
    }

    /** How long ago the time in {@code value} was. */
    static String since(JsonNode value, Instant now) {
        Instant at = instant(value);
        return at == null ? "" : length(Duration.between(at, now));
    }

    static String length(Duration length) {
        long seconds = Math.max(0, length.toSeconds());
        return seconds < 120
                ? seconds + "s"
                : seconds < 7_200
                        ? seconds / 60 + "m"
                        : seconds < 172_800 ? seconds / 3_600 + "h" : seconds / 86_400 + "d";
    }

    static @org.jspecify.annotations.Nullable Instant instant(JsonNode value) {
        try {
            return value.isTextual() ? Instant.parse(value.textValue()) : null;
        } catch (DateTimeParseException e) {
            return null;
        }
    }
}
