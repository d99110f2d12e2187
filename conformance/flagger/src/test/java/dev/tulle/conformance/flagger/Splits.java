package dev.tulle.conformance.flagger;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/** Every state of one TrafficSplit, as a watch tells them. Safe for use by many threads. */
final class Splits {
    /**
     * A state and when it was seen.
     *
     * @param atMillis since 1970
     * @param canary the canary's weight, -1 if there is none that can be read
     */
    record Step(long atMillis, int canary, int primary, JsonNode object) {}

    private final List<Step> steps = new ArrayList<>();

    void seen(JsonNode event) {
        JsonNode object = event.path("object");
        if (object.path("kind").asText().equals("TrafficSplit")) {
            int canary = -1;
            int primary = -1;
            for (JsonNode backend : object.path("spec").path("backends")) {
                int weight = backend.path("weight").asInt(-1);
                if (backend.path("service").asText().equals("shop-canary")) {
                    canary = weight;
                } else {
                    primary = weight;
                }
            }
            synchronized (steps) {
                steps.add(new Step(System.currentTimeMillis(), canary, primary, object));
            }
        }
    }

    /** All of them, the oldest first. */
    List<Step> all() {
        synchronized (steps) {
            return List.copyOf(steps);
        }
    }
}
