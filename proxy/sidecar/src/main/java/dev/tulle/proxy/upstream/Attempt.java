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

        /** One endpoint, nobody else. */
        static Source only(Attempt attempt) {
            return new Only(attempt);
        }
    }

    /** Gives one endpoint once. */
    final class Only implements Source {
        private Optional<Attempt> next;

        private Only(Attempt attempt) {
            next = Optional.of(attempt);
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
