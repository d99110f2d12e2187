package dev.tulle.conformance.kubernetes;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** What happened in a namespace, short enough to be read: its pods, its last events and the ends of its logs. */
final class Story {
    private static final int EVENTS = 20;
    private static final int LOG_LINES = 10;
    private static final int LONGEST_LINE = 400;
    private static final int PODS_WITH_LOGS = 10;

    private Story() {}

    /** Never fails: what cannot be had is not told. */
    static String of(Place place) {
        List<String> lines = new ArrayList<>();
        lines.add("--- namespace " + place.name());
        try {
            List<JsonNode> pods = items(place, "pods");
            pods.forEach(pod -> lines.add(line(pod)));
            List<JsonNode> events = items(place, "events", "--sort-by=.metadata.resourceVersion");
            events.stream()
                    .skip(Math.max(0, events.size() - EVENTS))
                    .forEach(event -> lines.add(cut("event %s %s/%s: %s %s"
                            .formatted(
                                    event.path("type").asText(),
                                    event.path("involvedObject").path("kind").asText(),
                                    event.path("involvedObject").path("name").asText(),
                                    event.path("reason").asText(),
                                    event.path("message").asText()))));
            // Those that are not well tell more.
            Stream.concat(pods.stream().filter(pod -> !well(pod)), pods.stream().filter(Story::well))
                    .limit(PODS_WITH_LOGS)
                    .forEach(pod -> logs(place, pod, lines));
        } catch (AssertionError e) {
            lines.add("the rest cannot be had: " + cut(String.valueOf(e.getMessage())));
        }
        return String.join("\n", lines);
    }

    private static List<JsonNode> items(Place place, String kind, String... more) {
        List<String> arguments = new ArrayList<>(List.of("get", kind, "-o", "json", "--request-timeout=10s"));
        arguments.addAll(List.of(more));
        List<JsonNode> items = new ArrayList<>();
        place.kubectl(arguments.toArray(String[]::new))
                .succeeded()
                .json()
                .path("items")
                .forEach(items::add);
        return items;
    }

    private static String line(JsonNode pod) {
        JsonNode status = pod.path("status");
        return cut("pod %s: %s %s%s%s; %s"
                .formatted(
                        pod.path("metadata").path("name").asText(),
                        status.path("phase").asText(),
                        status.path("podIP").asText(),
                        pod.path("metadata").has("deletionTimestamp") ? ", on its way out" : "",
                        status.has("message")
                                ? ", " + status.path("reason").asText() + ": "
                                        + status.path("message").asText()
                                : "",
                        String.join("; ", statuses(pod).map(Story::container).toList())));
    }

    private static String container(JsonNode status) {
        StringBuilder line = new StringBuilder(status.path("name").asText());
        if (status.path("ready").asBoolean()) {
            line.append(" (ready)");
        }
        if (status.path("restartCount").asInt() > 0) {
            line.append(" (restarted %d times, last ended with %s)"
                    .formatted(
                            status.path("restartCount").asInt(),
                            end(status.path("lastState").path("terminated"))));
        }
        JsonNode state = status.path("state");
        if (state.has("running")) {
            line.append(" runs");
        } else if (state.has("terminated")) {
            line.append(" ended with ").append(end(state.path("terminated")));
        } else {
            JsonNode waiting = state.path("waiting");
            line.append(" waits: %s %s"
                    .formatted(
                            waiting.path("reason").asText(),
                            waiting.path("message").asText()));
        }
        return line.toString();
    }

    private static String end(JsonNode terminated) {
        return "%d (%s) %s"
                .formatted(
                        terminated.path("exitCode").asInt(),
                        terminated.path("reason").asText(),
                        terminated.path("message").asText())
                .strip();
    }

    private static boolean well(JsonNode pod) {
        return statuses(pod)
                .allMatch(status -> status.path("restartCount").asInt() == 0
                        && (status.path("ready").asBoolean()
                                || status.path("state")
                                                .path("terminated")
                                                .path("exitCode")
                                                .asInt(1)
                                        == 0));
    }

    private static Stream<JsonNode> statuses(JsonNode pod) {
        return Stream.of("initContainerStatuses", "containerStatuses")
                .flatMap(list ->
                        StreamSupport.stream(pod.path("status").path(list).spliterator(), false));
    }

    private static void logs(Place place, JsonNode pod, List<String> lines) {
        String name = pod.path("metadata").path("name").asText();
        statuses(pod).filter(status -> !status.path("state").has("waiting")).forEach(status -> {
            String container = status.path("name").asText();
            log(place, name, container, lines);
            if (status.path("restartCount").asInt() > 0) {
                log(place, name, container, lines, "--previous");
            }
        });
    }

    private static void log(Place place, String pod, String container, List<String> lines, String... more) {
        List<String> arguments =
                new ArrayList<>(List.of("logs", pod, "-c", container, "--tail=" + LOG_LINES, "--request-timeout=10s"));
        arguments.addAll(List.of(more));
        String log = place.kubectl(arguments.toArray(String[]::new)).text();
        if (!log.isBlank()) {
            lines.add("log of %s/%s %s:".formatted(pod, container, String.join(" ", more)));
            log.lines().forEach(line -> lines.add("  " + cut(line)));
        }
    }

    private static String cut(String text) {
        return text.length() <= LONGEST_LINE ? text : text.substring(0, LONGEST_LINE) + "...";
    }
}
