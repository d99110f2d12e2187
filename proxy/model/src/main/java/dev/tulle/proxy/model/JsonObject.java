package dev.tulle.proxy.model;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** One JSON object being read: each field is asked for by name and type, each error names the path of its field. */
final class JsonObject {
    /** Longest quotation of a wrong value in an error, characters. */
    private static final int MAX_QUOTED = 100;

    private static final JsonFactory FACTORY = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(ProxyCodec.MAX_NESTING)
                    .maxStringLength(1 << 20)
                    .maxNameLength(256)
                    .maxNumberLength(64)
                    .build())
            .build();

    /** Reads a value out of an object; may throw IllegalArgumentException, as the records do. */
    interface Shape<T> {
        T read(JsonObject json) throws MalformedMessage;
    }

    /** A JSON number that is not a whole number of 64 bits. */
    private record OtherNumber(String text) {
        @Override
        public String toString() {
            return text;
        }
    }

    private final String path;
    private final Map<String, @Nullable Object> values;
    private final Set<String> read = new HashSet<>();

    private JsonObject(String path, Map<String, @Nullable Object> values) {
        this.path = path;
        this.values = values;
    }

    /** Reads a text that is one object and nothing else; the text has at most as many characters as it may have bytes. */
    static <T> T parse(String text, int maxBytes, Shape<T> shape) throws MalformedMessage {
        if (text.length() > maxBytes) {
            throw new MalformedMessage("", "%d characters are more than %d bytes".formatted(text.length(), maxBytes));
        }
        try (JsonParser parser = FACTORY.createParser(text)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw new MalformedMessage("", "not a JSON object");
            }
            Map<String, @Nullable Object> values = objectAt(parser);
            if (parser.nextToken() != null) {
                throw new MalformedMessage("", "something follows the JSON object");
            }
            return new JsonObject("", values).as(shape);
        } catch (JsonProcessingException e) {
            throw new MalformedMessage("", "not JSON: " + e.getOriginalMessage());
        } catch (IOException e) {
            throw new UncheckedIOException("reading from memory", e);
        }
    }

    /** As {@link #parse(String, int, Shape)}, from UTF-8 and nothing else. */
    static <T> T parse(byte[] utf8, int maxBytes, Shape<T> shape) throws MalformedMessage {
        if (utf8.length > maxBytes) {
            throw new MalformedMessage("", "%d bytes are more than %d".formatted(utf8.length, maxBytes));
        }
        try {
            // A new decoder refuses malformed input, where String's constructor replaces it.
            return parse(
                    StandardCharsets.UTF_8
                            .newDecoder()
                            .decode(ByteBuffer.wrap(utf8))
                            .toString(),
                    maxBytes,
                    shape);
        } catch (CharacterCodingException e) {
            throw new MalformedMessage("", "not UTF-8");
        }
    }

    String string(String name) throws MalformedMessage {
        if (required(name) instanceof String text) {
            return text;
        }
        throw wrong(name, "a string");
    }

    /** A string that may be left out. */
    String stringOr(String name, String otherwise) throws MalformedMessage {
        return has(name) ? string(name) : otherwise;
    }

    long number(String name) throws MalformedMessage {
        if (required(name) instanceof Long number) {
            return number;
        }
        throw wrong(name, "a whole number");
    }

    int integer(String name) throws MalformedMessage {
        long number = number(name);
        if (number != (int) number) {
            throw wrong(name, "a whole number of 32 bits");
        }
        return (int) number;
    }

    /** A whole number that may be left out. */
    long numberOr(String name, long otherwise) throws MalformedMessage {
        return has(name) ? number(name) : otherwise;
    }

    /** A whole number of 32 bits that may be left out. */
    int integerOr(String name, int otherwise) throws MalformedMessage {
        return has(name) ? integer(name) : otherwise;
    }

    boolean flag(String name) throws MalformedMessage {
        if (required(name) instanceof Boolean flag) {
            return flag;
        }
        throw wrong(name, "true or false");
    }

    /** One of an enum's names in lower case. */
    <E extends Enum<E>> E word(String name, Class<E> type) throws MalformedMessage {
        String word = string(name);
        List<String> known = new ArrayList<>();
        for (E constant : requireNonNull(type.getEnumConstants())) {
            String wireName = constant.name().toLowerCase(Locale.ROOT);
            if (wireName.equals(word)) {
                return constant;
            }
            known.add(wireName);
        }
        throw wrong(name, "one of " + String.join(", ", known));
    }

    /** A string that a parser understands; the parser throws IllegalArgumentException. */
    <T> T parsed(String name, Function<String, T> parser) throws MalformedMessage {
        String text = string(name);
        try {
            return parser.apply(text);
        } catch (IllegalArgumentException e) {
            throw new MalformedMessage(at(name), reasonOf(e));
        }
    }

    /** As {@link #parsed}, absent for {@code null}; the field must be there. */
    <T> Optional<T> parsedOrNull(String name, Function<String, T> parser) throws MalformedMessage {
        return isNull(name) ? Optional.empty() : Optional.of(parsed(name, parser));
    }

    /** Strings that a parser understands, as with {@link #parsed}. */
    <T> List<T> parsedList(String name, Function<String, T> parser) throws MalformedMessage {
        List<T> list = new ArrayList<>();
        for (String text : strings(name)) {
            try {
                list.add(parser.apply(text));
            } catch (IllegalArgumentException e) {
                throw new MalformedMessage("%s[%d]".formatted(at(name), list.size()), reasonOf(e));
            }
        }
        return list;
    }

    <T> T object(String name, Shape<T> shape) throws MalformedMessage {
        return objectOf(required(name), at(name)).as(shape);
    }

    /** As {@link #object}, absent for {@code null}; the field must be there. */
    <T> Optional<T> objectOrNull(String name, Shape<T> shape) throws MalformedMessage {
        return isNull(name) ? Optional.empty() : Optional.of(object(name, shape));
    }

    <T> List<T> objects(String name, Shape<T> shape) throws MalformedMessage {
        List<T> list = new ArrayList<>();
        for (@Nullable Object element : elements(name)) {
            list.add(
                    objectOf(element, "%s[%d]".formatted(at(name), list.size())).as(shape));
        }
        return list;
    }

    /** As {@link #objects}, absent for {@code null}; the field must be there. */
    <T> Optional<List<T>> objectsOrNull(String name, Shape<T> shape) throws MalformedMessage {
        return isNull(name) ? Optional.empty() : Optional.of(objects(name, shape));
    }

    List<String> strings(String name) throws MalformedMessage {
        return list(name, String.class, "a string");
    }

    List<Long> numbers(String name) throws MalformedMessage {
        return list(name, Long.class, "a whole number");
    }

    /** Port numbers, 1 to 65535. */
    List<Integer> ports(String name) throws MalformedMessage {
        List<Integer> ports = new ArrayList<>();
        for (long number : numbers(name)) {
            if (number < 1 || number > 65535) {
                throw new MalformedMessage(
                        "%s[%d]".formatted(at(name), ports.size()), "not a port of 1 to 65535: " + number);
            }
            ports.add((int) number);
        }
        return ports;
    }

    /** Whether a field is there, be it {@code null}. */
    boolean has(String name) {
        return values.containsKey(name);
    }

    /** Whether a field, which must be there, is {@code null}. */
    boolean isNull(String name) throws MalformedMessage {
        if (!has(name)) {
            throw new MalformedMessage(at(name), "missing");
        }
        read.add(name);
        return values.get(name) == null;
    }

    /** Refuses the object if it has a field that nobody asked for. */
    void refuseUnread() throws MalformedMessage {
        for (String name : values.keySet()) {
            if (!read.contains(name)) {
                throw new MalformedMessage(at(name), "not known to this version, which therefore cannot judge by it");
            }
        }
    }

    /** Path of a field of this object. */
    String at(String name) {
        return path.isEmpty() ? name : path + "." + name;
    }

    private <T> T as(Shape<T> shape) throws MalformedMessage {
        try {
            return shape.read(this);
        } catch (IllegalArgumentException e) {
            throw new MalformedMessage(path, reasonOf(e));
        }
    }

    private Object required(String name) throws MalformedMessage {
        read.add(name);
        Object value = values.get(name);
        if (value == null) {
            throw new MalformedMessage(at(name), has(name) ? "must not be null" : "missing");
        }
        return value;
    }

    private List<?> elements(String name) throws MalformedMessage {
        if (required(name) instanceof List<?> list) {
            return list;
        }
        throw wrong(name, "a list");
    }

    private <T> List<T> list(String name, Class<T> type, String what) throws MalformedMessage {
        List<T> list = new ArrayList<>();
        for (@Nullable Object element : elements(name)) {
            if (!type.isInstance(element)) {
                throw new MalformedMessage("%s[%d]".formatted(at(name), list.size()), "not " + what);
            }
            list.add(type.cast(element));
        }
        return list;
    }

    private MalformedMessage wrong(String name, String expected) {
        Object value = values.get(name);
        String quoted = value instanceof Map || value instanceof List ? "" : ": '" + value + "'";
        if (quoted.length() > MAX_QUOTED) {
            quoted = quoted.substring(0, MAX_QUOTED) + "…'";
        }
        return new MalformedMessage(at(name), "not " + expected + quoted);
    }

    private static String reasonOf(IllegalArgumentException e) {
        return String.valueOf(e.getMessage());
    }

    @SuppressWarnings("unchecked") // objectAt makes no other maps
    private static JsonObject objectOf(@Nullable Object value, String path) throws MalformedMessage {
        if (value instanceof Map) {
            return new JsonObject(path, (Map<String, @Nullable Object>) value);
        }
        throw new MalformedMessage(path, "not an object");
    }

    private static Map<String, @Nullable Object> objectAt(JsonParser parser) throws IOException {
        Map<String, @Nullable Object> values = new HashMap<>();
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String name = parser.currentName();
            parser.nextToken();
            values.put(name, valueAt(parser));
        }
        return values;
    }

    private static @Nullable Object valueAt(JsonParser parser) throws IOException {
        return switch (parser.currentToken()) {
            case START_OBJECT -> objectAt(parser);
            case START_ARRAY -> {
                List<@Nullable Object> list = new ArrayList<>();
                while (parser.nextToken() != JsonToken.END_ARRAY) {
                    list.add(valueAt(parser));
                }
                yield list;
            }
            case VALUE_STRING -> parser.getText();
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            case VALUE_NUMBER_INT ->
                parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER
                        ? new OtherNumber(parser.getText())
                        : (Object) parser.getLongValue();
            case VALUE_NUMBER_FLOAT -> new OtherNumber(parser.getText());
            default -> null;
        };
    }
}
