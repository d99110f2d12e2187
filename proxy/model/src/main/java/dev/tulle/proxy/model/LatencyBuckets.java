package dev.tulle.proxy.model;

/**
 * The fixed buckets in which every latency is counted: one set for reports, the page and {@code /metrics}.
 *
 * <p>Upper bounds from 100 microseconds to 60 seconds. They contain the classic bounds of OpenTelemetry (5 ms to 10 s) and those
 * that stock Flagger queries need (whole milliseconds beyond 10 s).
 */
public final class LatencyBuckets {
    private static final long[] UPPER_MICROS = {
        100,
        200,
        300,
        400,
        500,
        750,
        1_000,
        1_500,
        2_000,
        2_500,
        3_000,
        4_000,
        5_000,
        6_000,
        7_500,
        10_000,
        15_000,
        20_000,
        25_000,
        30_000,
        40_000,
        50_000,
        75_000,
        100_000,
        150_000,
        200_000,
        250_000,
        300_000,
        400_000,
        500_000,
        750_000,
        1_000_000,
        1_500_000,
        2_000_000,
        2_500_000,
        3_000_000,
        5_000_000,
        7_500_000,
        10_000_000,
        15_000_000,
        30_000_000,
        60_000_000
    };

    private LatencyBuckets() {}

    /** How many there are; the last one, at {@code count() - 1}, has no upper bound. */
    public static int count() {
        return UPPER_MICROS.length + 1;
    }

    /** The bucket that counts a latency in microseconds: the first whose upper bound is not less. */
    public static int indexOf(long micros) {
        int low = 0;
        int high = UPPER_MICROS.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (UPPER_MICROS[middle] < micros) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /** Upper bound of a bucket in microseconds, inclusive; {@code Long.MAX_VALUE} for the last. */
    public static long upperMicros(int index) {
        return index == UPPER_MICROS.length ? Long.MAX_VALUE : UPPER_MICROS[index];
    }

    /**
     * A quantile by linear interpolation inside its bucket.
     *
     * @param counts one count a bucket, {@link #count()} of them
     * @param quantile 0 to 1
     * @return microseconds; 0 when nothing was counted; the last finite bound for the open bucket
     */
    public static double quantileMicros(long[] counts, double quantile) {
        long total = 0;
        for (long count : counts) {
            total += count;
        }
        if (total == 0) {
            return 0;
        }
        double rank = quantile * total;
        long before = 0;
        for (int i = 0; i < counts.length; i++) {
            if (counts[i] > 0 && before + counts[i] >= rank) {
                double lower = i == 0 ? 0 : UPPER_MICROS[i - 1];
                if (i == UPPER_MICROS.length) {
                    return lower;
                }
                return lower + (UPPER_MICROS[i] - lower) * Math.max(0, rank - before) / counts[i];
            }
            before += counts[i];
        }
        return UPPER_MICROS[UPPER_MICROS.length - 1];
    }
}
