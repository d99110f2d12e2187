package dev.tulle.proxy.upstream;

import dev.tulle.proxy.http.ResponseHead;
import dev.tulle.proxy.resilience.Slots;
import dev.tulle.proxy.resilience.TryFailure;
import org.jspecify.annotations.Nullable;

/**
 * What holds for one request beyond sending it once: limits of time and of number, and whether it is sent again.
 *
 * <p>Only requests of a destination that has such a policy have one. One request, one event loop.
 */
public interface CallGuard {
    /** How long the request is held back before it is sent, milliseconds; 0 for not at all. */
    long delayMillis();

    /** The request has begun; from here on limits of time run. */
    void begin(Late late);

    /** It is sent to an endpoint, be it the first or another one. */
    void tried();

    /** Bytes went one way or the other. */
    void moved();

    /** Asked before the request waits for a connection; each true is followed by one {@link #waited}. */
    boolean mayWait();

    /** It waits no longer. */
    void waited();

    /**
     * Whether a failed try is followed by another one.
     *
     * @param replayable whether everything that was sent can be sent again
     * @return how long to wait before it, milliseconds; negative for no other try
     */
    long retryAfterMillis(TryFailure failure, boolean replayable);

    /** Connections of which one is taken for each that is dialled for the request; null where there is no limit. */
    @Nullable Slots connections();

    /** The request is refused because these were all taken. */
    void connectionsFull();

    /** Whether the body must be kept because the request may be sent again. */
    boolean repeats();

    /** What failed, where this answer may be worth another try; null where it is to be passed on. */
    @Nullable TryFailure failureOf(ResponseHead answer);

    /** What of an answer is passed on: its head, perhaps with a word about what was done to the call. */
    ResponseHead passing(ResponseHead answer);

    /** The request became a tunnel (WebSocket), which has no end that could be late. */
    void tunnelled();

    /** It is over; called once, and nothing afterwards. */
    void over();

    /** Hears that a limit of time has passed; on the loop, at most once for each kind and try. */
    interface Late {
        void late(TimeLimit limit);
    }

    /** A limit of time; its wire name is the reason word of the answer. */
    enum TimeLimit {
        /** From the request's head to the end of the answer. */
        TOTAL("timeout", "the service did not answer within the time set for it"),
        /** What the caller allowed, by {@code grpc-timeout}. */
        DEADLINE("deadline", "the caller's deadline has passed"),
        /** From sending it to the head of the answer. */
        PER_TRY("timeout-per-try", "no endpoint answered within the time set for one try"),
        /** Since bytes last moved. */
        IDLE("timeout-idle", "nothing was sent or received for the time set for it");

        private final String wireName;
        private final String sentence;

        TimeLimit(String wireName, String sentence) {
            this.wireName = wireName;
            this.sentence = sentence;
        }

        public String wireName() {
            return wireName;
        }

        /** A sentence for people, without its full stop. */
        public String sentence() {
            return sentence;
        }
    }
}
