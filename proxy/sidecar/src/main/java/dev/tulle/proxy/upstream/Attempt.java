package dev.tulle.proxy.upstream;

import java.util.Optional;

/** One endpoint that a request or connection may be sent to, and who learns what became of it. On one event loop. */
public interface Attempt {
    Target target();

    /** It is going to be used. */
    void started();

    /** It could be connected to. */
    void connected();

    /** Being connected to is all that can be learnt of it, as with opaque bytes; {@link #abandoned} follows at the end. */
    default void settled() {}

    /** It could not be connected to; nothing was sent. */
    void connectFailed();

    /** It answered, or failed with an answer of 500 and above, after so many nanoseconds. */
    void answered(boolean failure, long nanos);

    /** It ended without telling anything about the endpoint. */
    void abandoned();

    /** Gives one endpoint after the other, each at most once or as often as the caller may try. */
    interface Source {
        /** The next one to try; empty when there is none. */
        Optional<Attempt> next();

        /** From now on those given before may be given once more, after all others. */
        default void startOver() {}

        /** Whether there is more than one endpoint, so that a request may be worth keeping. */
        default boolean hasSeveral() {
            return false;
        }

        /** Whether what is given is the application itself: when that cannot be reached the caller's proxy is told that nothing was done. */
        default boolean isLastHop() {
            return false;
        }

        /** A request that an endpoint did nothing with goes to the one given last. */
        default void moved() {}

        /** One endpoint, the application of this proxy. */
        static Source application(Attempt attempt) {
            return new Only(attempt, true);
        }

        /** One endpoint, nobody else. */
        static Source only(Attempt attempt) {
            return new Only(attempt, false);
        }
    }

    /** Gives one endpoint once. */
    final class Only implements Source {
        private Optional<Attempt> next;

        private final boolean lastHop;

        private Only(Attempt attempt, boolean lastHop) {
            this.next = Optional.of(attempt);
            this.lastHop = lastHop;
        }

        @Override
        public boolean isLastHop() {
            return lastHop;
        }

        @Override
        public Optional<Attempt> next() {
            Optional<Attempt> given = next;
            next = Optional.empty();
            return given;
        }
    }

    /** An endpoint nobody keeps books of. */
    static Attempt unobserved(Target target) {
        return new Attempt() {
            @Override
            public Target target() {
                return target;
            }

            @Override
            public void started() {}

            @Override
            public void connected() {}

            @Override
            public void connectFailed() {}

            @Override
            public void answered(boolean failure, long nanos) {}

            @Override
            public void abandoned() {}
        };
    }
}
