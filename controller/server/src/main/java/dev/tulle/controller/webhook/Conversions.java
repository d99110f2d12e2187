package dev.tulle.controller.webhook;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tulle.smi.convert.SmiConverter;

/**
 * Answers what SMI objects look like in another version.
 *
 * <p>Source: apiextensions.k8s.io/v1, ConversionReview. One failure fails the review, so that nothing may fail but what is no SMI object: a
 * value that nobody can read passes as it is (see {@link SmiConverter}).
 */
final class Conversions {
    private static final String VERSION = "apiextensions.k8s.io/v1";

    private Conversions() {}

    /**
     * The answer to a review.
     *
     * @throws IllegalArgumentException if it is none; the message is a sentence
     */
    static ObjectNode answer(JsonNode document) {
        JsonNode request = document.path("request");
        if (!document.path("kind").asText().equals("ConversionReview")
                || !document.path("apiVersion").asText().equals(VERSION)) {
            throw new IllegalArgumentException("This is no ConversionReview of %s.".formatted(VERSION));
        }
        ObjectNode answer =
                JsonNodeFactory.instance.objectNode().put("apiVersion", VERSION).put("kind", "ConversionReview");
        ObjectNode response =
                answer.putObject("response").put("uid", request.path("uid").asText());
        String desired = request.path("desiredAPIVersion").asText();
        ArrayNode converted = JsonNodeFactory.instance.arrayNode();
        for (JsonNode object : request.path("objects")) {
            try {
                converted.add(SmiConverter.convert(
                        object instanceof ObjectNode fields ? fields : JsonNodeFactory.instance.objectNode(), desired));
            } catch (IllegalArgumentException e) {
                response.putArray("convertedObjects");
                response.putObject("result")
                        .put("status", "Failure")
                        .put("message", "%s: %s".formatted(name(object), e.getMessage()));
                return answer;
            }
        }
        response.set("convertedObjects", converted);
        response.putObject("result").put("status", "Success");
        return answer;
    }

    /** Whether the review could be answered. */
    static boolean isSuccess(JsonNode answer) {
        return answer.path("response").path("result").path("status").asText().equals("Success");
    }

    private static String name(JsonNode object) {
        JsonNode metadata = object.path("metadata");
        return "%s %s/%s"
                .formatted(
                        object.path("kind").asText("object"),
                        metadata.path("namespace").asText(),
                        metadata.path("name").asText());
    }
}
