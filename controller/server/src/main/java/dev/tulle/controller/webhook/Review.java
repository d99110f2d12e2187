package dev.tulle.controller.webhook;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/**
 * One question of the API server whether an object may be stored, and how.
 *
 * <p>Source: admission.k8s.io/v1, AdmissionReview.
 *
 * @param uid names the question in the answer
 * @param operation such as {@code CREATE}
 * @param namespace of the object; empty if it has none
 * @param object as it would be stored; missing when it is deleted
 * @param old what is stored now; missing when the object is created
 * @param dryRun whether nothing may be changed anywhere
 */
record Review(
        String uid, String operation, String namespace, ObjectNode object, Optional<ObjectNode> old, boolean dryRun) {
    private static final String VERSION = "admission.k8s.io/v1";
    private static final int DENIED = 403;

    Review {
        requireNonNull(uid, "uid");
        requireNonNull(operation, "operation");
        requireNonNull(namespace, "namespace");
        requireNonNull(object, "object");
        requireNonNull(old, "old");
    }

    /**
     * Reads one.
     *
     * @throws IllegalArgumentException if it is none; the message is a sentence
     */
    static Review read(JsonNode document) {
        JsonNode request = document.path("request");
        if (!document.path("kind").asText().equals("AdmissionReview")
                || !document.path("apiVersion").asText().equals(VERSION)) {
            throw new IllegalArgumentException("This is no AdmissionReview of %s.".formatted(VERSION));
        }
        if (request.path("uid").asText().isEmpty()) {
            throw new IllegalArgumentException("The review has no request.uid.");
        }
        return new Review(
                request.path("uid").asText(),
                request.path("operation").asText(),
                request.path("namespace").asText(),
                request.path("object") instanceof ObjectNode object ? object : JsonNodeFactory.instance.objectNode(),
                request.path("oldObject") instanceof ObjectNode old ? Optional.of(old) : Optional.empty(),
                request.path("dryRun").asBoolean());
    }

    /** {@code metadata.name}, or what a name will be made of. */
    String name() {
        JsonNode metadata = object.path("metadata");
        return metadata.path("name").asText(metadata.path("generateName").asText());
    }

    String kind() {
        return object.path("kind").asText();
    }

    /** What is said to a question. */
    sealed interface Answer {
        /** It may be stored; changed by {@code patch}, if that is not empty. */
        record Allow(ArrayNode patch, List<String> warnings) implements Answer {
            public Allow {
                requireNonNull(patch, "patch");
                warnings = List.copyOf(warnings);
            }

            /** As it is. */
            static Allow unchanged(List<String> warnings) {
                return new Allow(JsonNodeFactory.instance.arrayNode(), warnings);
            }
        }

        /** It may not; the message names place, value and cure. */
        record Deny(String message, List<String> warnings) implements Answer {
            public Deny {
                requireNonNull(message, "message");
                warnings = List.copyOf(warnings);
            }
        }
    }

    /** The answer as the API server reads it. */
    ObjectNode answered(Answer answer) {
        ObjectNode document =
                JsonNodeFactory.instance.objectNode().put("apiVersion", VERSION).put("kind", "AdmissionReview");
        ObjectNode response = document.putObject("response").put("uid", uid);
        switch (answer) {
            case Answer.Allow(ArrayNode patch, List<String> warnings) -> {
                response.put("allowed", true);
                if (!patch.isEmpty()) {
                    response.put("patchType", "JSONPatch")
                            .put(
                                    "patch",
                                    Base64.getEncoder()
                                            .encodeToString(patch.toString().getBytes(StandardCharsets.UTF_8)));
                }
                warn(response, warnings);
            }
            case Answer.Deny(String message, List<String> warnings) -> {
                response.put("allowed", false);
                response.putObject("status")
                        .put("code", DENIED)
                        .put("reason", "Forbidden")
                        .put("message", message);
                warn(response, warnings);
            }
        }
        return document;
    }

    private static void warn(ObjectNode response, List<String> warnings) {
        if (!warnings.isEmpty()) {
            warnings.forEach(response.putArray("warnings")::add);
        }
    }
}
