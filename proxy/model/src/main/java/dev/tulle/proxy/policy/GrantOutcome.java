package dev.tulle.proxy.policy;

import static java.util.Objects.requireNonNull;

import java.util.Optional;

/**
 * What one TrafficTarget says of one call.
 *
 * @param target the TrafficTarget, {@code namespace/name}
 * @param failed the first of its conditions that does not hold; absent when it lets the call in
 * @param words one clause for people, as in {@code allows only GET /reviews}
 */
public record GrantOutcome(String target, Optional<Reason> failed, String words) {
    public GrantOutcome {
        requireNonNull(target, "target");
        requireNonNull(failed, "failed");
        requireNonNull(words, "words");
    }
}
