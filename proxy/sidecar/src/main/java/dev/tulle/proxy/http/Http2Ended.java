package dev.tulle.proxy.http;

/**
 * Remembers streams of one connection that ended lately, and which of them we have reset.
 *
 * <p>What a peer sent before it heard of our reset may still come and means nothing; anything else on a stream that has ended is an
 * error. The oldest are forgotten first. Source: RFC 9113, 5.1.
 */
final class Http2Ended {
    private static final int REMEMBERED = 256;
    private static final int[] NONE = {};

    private int[] ended = NONE;
    private int[] reset = NONE;
    private int endedNext;
    private int resetNext;

    void ended(int stream) {
        if (ended.length == 0) {
            ended = new int[REMEMBERED];
        }
        ended[endedNext++ & (REMEMBERED - 1)] = stream;
    }

    /** We have reset a stream. */
    void reset(int stream) {
        if (reset.length == 0) {
            reset = new int[REMEMBERED];
        }
        reset[resetNext++ & (REMEMBERED - 1)] = stream;
    }

    boolean hasEnded(int stream) {
        return isIn(ended, stream);
    }

    boolean wasReset(int stream) {
        return isIn(reset, stream);
    }

    private static boolean isIn(int[] streams, int stream) {
        for (int each : streams) {
            if (each == stream) {
                return true;
            }
        }
        return false;
    }
}
