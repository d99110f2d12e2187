package dev.tulle.proxy.http;

import io.netty.channel.ChannelHandlerContext;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.FastThreadLocal;
import java.util.ArrayDeque;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * Flushes a channel once at the end of the event loop's round, however much was written in it. Event loop only.
 *
 * <p>All channels of a loop share one task a round, so that what many streams write to one connection leaves together and a round
 * costs one entry of the loop's queue.
 */
public final class Flusher {
    private static final FastThreadLocal<@Nullable Round> ROUNDS = new FastThreadLocal<>();

    private final Round round;
    private final Runnable flush;
    private boolean asked;

    /** Those of one loop that are to be flushed when its round ends. */
    private static final class Round implements Runnable {
        private final EventExecutor loop;
        private final Queue<Flusher> asked = new ArrayDeque<>();
        private boolean scheduled;

        Round(EventExecutor loop) {
            this.loop = loop;
        }

        void add(Flusher flusher) {
            asked.add(flusher);
            if (!scheduled) {
                scheduled = true;
                loop.execute(this);
            }
        }

        @Override
        public void run() {
            scheduled = false;
            // What a flush in turn causes to be written waits for the next run.
            for (int left = asked.size(); left > 0; left--) {
                Flusher next = asked.remove();
                next.asked = false;
                next.flush.run();
            }
        }
    }

    /** Flushes what was written from the handler of this context on. */
    public Flusher(ChannelHandlerContext context) {
        this(context, context::flush);
    }

    /** @param flush hands over what the handler of this context gathered, and flushes it */
    Flusher(ChannelHandlerContext context, Runnable flush) {
        EventExecutor loop = context.executor();
        Round known = ROUNDS.get();
        if (known == null || !known.loop.equals(loop)) {
            known = new Round(loop);
            ROUNDS.set(known);
        }
        this.round = known;
        this.flush = flush;
    }

    /** Something was written. */
    public void soon() {
        if (!asked) {
            asked = true;
            round.add(this);
        }
    }
}
