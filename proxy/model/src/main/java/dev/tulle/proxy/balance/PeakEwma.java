package dev.tulle.proxy.balance;

/**
 * How loaded one endpoint seems from here: a moving average of its latency that jumps up at once and comes down slowly, times the
 * requests it has in hand.
 *
 * <p>Times are nanoseconds of a monotonic clock. Not thread-safe: one per event loop and endpoint.
 * Source: the Peak EWMA balancer of Finagle, with power of two choices (Mitzenmacher 2001).
 */
public final class PeakEwma {
    /** In this time an old latency loses all but 1/e of its say. */
    private static final double DECAY_NANOS = 10e9;

    /** Assumed of an endpoint that has not answered yet. */
    private static final double FIRST_GUESS_NANOS = 1e6;

    /**
     * Below this latency endpoints count as equally fast, so that requests in hand decide, or chance: else one caller after another
     * would make do with whichever pod was a millisecond faster (of 300 requests to three pods one got 2).
     */
    private static final double FLOOR_NANOS = 5e6;

    /** What a failure adds to twice the latency before it. */
    private static final double FAILURE_NANOS = 10e6;

    /** Most that failures alone can make of the latency. */
    private static final double MAX_FAILURE_NANOS = 1e9;

    /**
     * After so long without an observation an endpoint is tried by one request at a time, whatever was seen of it before: by
     * fading alone a failure would keep one that came back waiting for over a minute beside one that answers in a millisecond.
     */
    private static final long FORGET_NANOS = 5_000_000_000L;

    /** How long an endpoint is avoided after its first failed connect; doubled by each further one. */
    private static final long FIRST_AVOIDANCE_NANOS = 100_000_000;

    /** Doublings of the avoidance: at most 12.8 s. */
    private static final int MAX_DOUBLINGS = 7;

    private double latency = FIRST_GUESS_NANOS;
    private long stamp;
    private int pending;
    private int failedConnects;
    private long avoidedUntil;

    /** An endpoint of which nothing is known yet. */
    public PeakEwma(long nowNanos) {
        this.stamp = nowNanos;
    }

    /** A request was sent to it. */
    public void started() {
        pending++;
    }

    /** A request ended well after {@code latencyNanos} (to the first byte of the answer). */
    public void succeeded(long latencyNanos, long nowNanos) {
        abandoned();
        observe((double) latencyNanos, nowNanos);
    }

    /** A request failed after {@code latencyNanos}: counts as slower than anything before, so that failing fast attracts nobody. */
    public void failed(long latencyNanos, long nowNanos) {
        abandoned();
        double penalty = Math.min(2 * decayed(nowNanos) + FAILURE_NANOS, MAX_FAILURE_NANOS);
        observe(Math.max((double) latencyNanos, penalty), nowNanos);
    }

    /** A request ended without telling anything, as when the caller went away. */
    public void abandoned() {
        pending = Math.max(0, pending - 1);
    }

    /** It could not be connected to: avoided for a while, longer each time, if others exist. */
    public void connectFailed(long nowNanos) {
        avoidedUntil = nowNanos + (FIRST_AVOIDANCE_NANOS << Math.min(failedConnects, MAX_DOUBLINGS));
        failedConnects++;
    }

    /** It was connected to: no longer avoided. */
    public void connected() {
        failedConnects = 0;
    }

    /** Whether it should be passed over because it could not be connected to a short while ago. */
    public boolean avoided(long nowNanos) {
        return failedConnects > 0 && nowNanos - avoidedUntil < 0;
    }

    /** Requests in hand. */
    public int pending() {
        return pending;
    }

    /** The load; the less the better, more than 0. */
    public double load(long nowNanos) {
        if (pending == 0 && isForgotten(nowNanos)) {
            return FLOOR_NANOS / 2;
        }
        return Math.max(decayed(nowNanos), FLOOR_NANOS) * (pending + 1);
    }

    private void observe(double observed, long nowNanos) {
        double share = isForgotten(nowNanos) ? 0 : oldShare(nowNanos);
        latency = share == 0 || observed > latency ? observed : latency * share + observed * (1 - share);
        stamp = nowNanos;
    }

    /** The latency, on its way to nothing while nothing is observed. */
    private double decayed(long nowNanos) {
        return latency * oldShare(nowNanos);
    }

    private boolean isForgotten(long nowNanos) {
        return nowNanos - stamp > FORGET_NANOS;
    }

    private double oldShare(long nowNanos) {
        return Math.exp(-Math.max(0, nowNanos - stamp) / DECAY_NANOS);
    }
}
