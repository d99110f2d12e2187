package dev.tulle.proxy.http;

import io.netty.channel.ChannelHandlerContext;

/** Flushes a channel once at the end of the event loop's round, however much was written in it. Event loop only. */
public final class Flusher implements Runnable {
    private final ChannelHandlerContext context;
    private boolean asked;

    public Flusher(ChannelHandlerContext context) {
        this.context = context;
    }

    /** Something was written. */
    public void soon() {
        if (!asked) {
            asked = true;
            context.executor().execute(this);
        }
    }

    @Override
    public void run() {
        asked = false;
        context.flush();
    }
}
