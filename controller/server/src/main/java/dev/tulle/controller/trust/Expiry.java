package dev.tulle.controller.trust;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * When people are told that something ends. Pure.
 *
 * <p>At {@link #DAYS} before, but not before it is late: everything here is renewed when a third of its life is left, so that with more
 * than three tenths left nothing is wrong yet, however short it lives.
 */
final class Expiry {
    /** Most first. */
    static final List<Integer> DAYS = List.of(30, 7, 1);

    private Expiry() {}

    /**
     * Something that ends.
     *
     * @param what for a sentence, such as {@code the issuer}
     * @param secret where it is kept
     * @param id tells it from the one before
     * @param cure for a sentence
     */
    record Certificate(String what, String secret, String id, Instant begins, Instant ends, String cure) {
        Certificate {
            requireNonNull(what, "what");
            requireNonNull(secret, "secret");
            requireNonNull(id, "id");
            requireNonNull(begins, "begins");
            requireNonNull(ends, "ends");
            requireNonNull(cure, "cure");
        }

        /** One sentence. */
        String sentence(int days) {
            return "%s ends at %s, in less than %d %s: %s"
                    .formatted(what, ends, days, days == 1 ? "day" : "days", cure);
        }
    }

    /** The smallest of {@link #DAYS} that is not left any more; empty while there is time. */
    static Optional<Integer> near(Certificate certificate, Instant now) {
        Duration left = Duration.between(now, certificate.ends());
        Duration life = Duration.between(certificate.begins(), certificate.ends());
        if (left.compareTo(life.multipliedBy(3).dividedBy(10)) > 0) {
            return Optional.empty();
        }
        return DAYS.stream()
                .filter(days -> left.compareTo(Duration.ofDays(days)) <= 0)
                .min(Integer::compare);
    }
}
