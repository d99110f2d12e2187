package dev.tulle.proxy.upstream;

import dev.tulle.proxy.http.Fields;
import dev.tulle.proxy.http.Reset;
import dev.tulle.proxy.http.ServerStream;
import dev.tulle.proxy.http.StreamListener;
import io.netty.buffer.ByteBuf;

/** Throws away the rest of a request that has been answered. */
public record IgnoredRequest(ServerStream stream) implements StreamListener {
    @Override
    public void onData(ByteBuf data, boolean end) {
        stream.consumed(data.readableBytes());
        data.release();
    }

    @Override
    public void onTrailers(Fields trailers) {}

    @Override
    public void onReset(Reset reset) {}

    @Override
    public void onDrained(int bytes) {}
}
