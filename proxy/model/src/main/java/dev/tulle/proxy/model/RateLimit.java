package dev.tulle.proxy.model;

/**
 * How often one caller may ask.
 *
 * @param requests so many, 1 to {@value #MAX}
 * @param perMillis in this time, 1 to a day
 * @param burst so many at once after a quiet time, 1 to {@value #MAX}
 */
public record RateLimit(int requests, long perMillis, int burst) {
    public static final int MAX = 1_000_000;

    public RateLimit {
        if (requests < 1 || requests > MAX || burst < 1 || burst > MAX) {
            throw new IllegalArgumentException(
                    "rate of %d with a burst of %d, not 1 to %d each".formatted(requests, burst, MAX));
        }
        if (perMillis < 1 || perMillis > 86_400_000) {
            throw new IllegalArgumentException("rate per %d ms, not 1 to 86400000".formatted(perMillis));
        }
    }
}
