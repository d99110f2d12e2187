package dev.tulle.conformance.flagger;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What applications counted themselves, by pod, second and word; see {@code images/app}.
 *
 * <p>The last that a pod told stays when it is gone. Safe for use by many threads.
 */
final class Tally {
    private record Told(String app, JsonNode seconds) {}

    private final Map<String, Told> pods = new ConcurrentHashMap<>();

    /** {@code app}: the pod's label of that name. */
    void tell(String pod, String app, JsonNode seconds) {
        pods.put(pod, new Told(app, seconds));
    }

    /** Sum of the words over all pods of {@code app}, from the begin of one second (1970) to the begin of another. */
    int sum(String app, long from, long to, String... words) {
        Set<String> wanted = Set.of(words);
        int sum = 0;
        for (Told told : pods.values()) {
            if (told.app().equals(app)) {
                for (Map.Entry<String, JsonNode> second : told.seconds().properties()) {
                    long at = Long.parseLong(second.getKey());
                    if (at >= from && at < to) {
                        for (String word : wanted) {
                            sum += second.getValue().path(word).asInt();
                        }
                    }
                }
            }
        }
        return sum;
    }
}
