package dev.tulle.proxy.balance;

/**
 * How loaded one endpoint seems from here: peak-sensitive moving average of its latency, times the requests it has in hand.
 *
 * <p>Times are nanoseconds of a monotonic clock. Not thread-safe: one per event loop and endpoint.
 */
public final class PeakEwma {
    /** A request was sent to it. */
    public void started() {
        dev.tulle.proxy.model.Pending.body();
    }

    /** A request ended well after {@code latencyNanos} (to the first byte of the answer). */
    public void succeeded(long latencyNanos, long nowNanos) {
        dev.tulle.proxy.model.Pending.body();
    }

    /** A request failed after {@code latencyNanos}: counted as a slow one. */
    public void failed(long latencyNanos, long nowNanos) {
        dev.tulle.proxy.model.Pending.body();
    }

    /** A request ended without telling anything, as when the caller went away. */
    public void abandoned() {
        dev.tulle.proxy.model.Pending.body();
    }

    /** It could not be connected to: avoided for a while, longer each time, if others exist. */
    public void connectFailed(long nowNanos) {
        dev.tulle.proxy.model.Pending.body();
    }

    /** It was connected to: no longer avoided. */
    public void connected() {
        dev.tulle.proxy.model.Pending.body();
    }

    /** Whether it should be passed over because it could not be connected to a short while ago. */
    public boolean avoided(long nowNanos) {
        return dev.tulle.proxy.model.Pending.body();
    }

    /** Requests in hand. */
    public int pending() {
        return dev.tulle.proxy.model.Pending.body();
    }

    /** The load; the less the better, 0 or more. */
    public double load(long nowNanos) {
        return dev.tulle.proxy.model.Pending.body();
    }
}
