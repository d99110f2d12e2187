package dev.tulle.proxy.identity;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;

/** The sentence in a refusal of the controller: {@code {"error":"…"}}. */
public final class Refusals {
    private static final int MAX_CHARS = 500;

    private Refusals() {}

    /** What to tell the operator; falls back to the start of the body, then to the status. */
    public static String sentence(int status, String body) {
        String text = "";
        try (JsonParser parser = new JsonFactory().createParser(body)) {
            if (parser.nextToken() == JsonToken.START_OBJECT) {
                while (parser.nextToken() == JsonToken.FIELD_NAME) {
                    String name = parser.currentName();
                    JsonToken value = parser.nextToken();
                    if (name.equals("error") && value == JsonToken.VALUE_STRING) {
                        text = parser.getText();
                    }
                    parser.skipChildren();
                }
            }
        } catch (IOException e) {
            text = body.strip();
        }
        if (text.isEmpty()) {
            return "the controller answered %d without a reason".formatted(status);
        }
        return text.length() <= MAX_CHARS ? text : text.substring(0, MAX_CHARS) + "…";
    }
}
