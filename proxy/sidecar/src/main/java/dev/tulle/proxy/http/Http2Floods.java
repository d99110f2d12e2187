package dev.tulle.proxy.http;

import dev.tulle.proxy.bootstrap.Limits;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http2.DecoratingHttp2FrameWriter;
import io.netty.handler.codec.http2.Http2Connection;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Flags;
import io.netty.handler.codec.http2.Http2FrameListener;
import io.netty.handler.codec.http2.Http2FrameListenerDecorator;
import io.netty.handler.codec.http2.Http2FrameReader;
import io.netty.handler.codec.http2.Http2FrameWriter;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2Stream;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Counts, on one HTTP/2 connection, the frames that cost the receiver more than the sender, before anything looks at them.
 *
 * <p>Resets count where requests come in, both ways and whatever their code, for a peer can make us send them too; a stream that
 * ended well makes up for one. Where we are the client every stream is our own doing, and many callers may share the connection:
 * there they do not count. A PING is free after a frame of a stream, in either direction: senders measure their windows with it.
 * Beyond a limit: GOAWAY with ENHANCE_YOUR_CALM. Source: CVE-2019-9512 to 9518, CVE-2023-44487, CVE-2025-55163.
 */
final class Http2Floods {
    private final Http2Connection connection;
    private final Http2StreamOrder order;
    private final Window resets;
    private final Window controls;
    private final int maxEmptyData;
    private int emptyData;
    private boolean freePing;

    Http2Floods(Http2Connection connection, Limits.Http2 limits) {
        this.connection = connection;
        this.order = new Http2StreamOrder(connection);
        this.resets = new Window(limits.maxResets(), limits.resetWindow());
        this.controls = new Window(limits.maxControlFrames(), limits.controlWindow());
        this.maxEmptyData = limits.maxEmptyDataFrames();
    }

    /** So many in one stretch of time; a new stretch begins when one has passed. */
    private static final class Window {
        private final int most;
        private final long nanos;
        private long begun;
        private int count;

        Window(int most, Duration length) {
            this.most = most;
            this.nanos = length.toNanos();
        }

        boolean isTooMany() {
            long now = System.nanoTime();
            if (count == 0 || now - begun > nanos) {
                begun = now;
                count = 0;
            }
            return ++count > most;
        }

        void makeUp() {
            count = Math.max(0, count - 1);
        }
    }

    private static Http2Exception calm(String what) {
        return Http2Exception.connectionError(Http2Error.ENHANCE_YOUR_CALM, "too many %s", what);
    }

    private void control() throws Http2Exception {
        if (controls.isTooMany()) {
            throw calm("control frames");
        }
    }

    private boolean isTooManyResets() {
        return connection.isServer() && resets.isTooMany();
    }

    /** A stream came to its end on both sides. */
    void endedWell() {
        resets.makeUp();
    }

    /** A reader that counts what it reads. */
    Http2FrameReader counting(Http2FrameReader reader) {
        return new Http2FrameReader() {
            private @Nullable Http2FrameListener plain;
            private @Nullable Http2FrameListener counted;

            @Override
            public void readFrame(ChannelHandlerContext ctx, ByteBuf input, Http2FrameListener listener)
                    throws Http2Exception {
                Http2FrameListener through = counted;
                if (through == null || !listener.equals(plain)) {
                    through = new Counting(listener);
                    plain = listener;
                    counted = through;
                }
                reader.readFrame(ctx, input, through);
            }

            @Override
            public Configuration configuration() {
                return reader.configuration();
            }

            @Override
            public void close() {
                reader.close();
            }
        };
    }

    /** A writer that counts the resets it writes and remembers them; {@code flooded} is told once there were too many. */
    Http2FrameWriter counting(Http2FrameWriter writer, Flooded flooded) {
        return new DecoratingHttp2FrameWriter(writer) {
            @Override
            public ChannelFuture writeRstStream(
                    ChannelHandlerContext ctx, int streamId, long errorCode, ChannelPromise promise) {
                ChannelFuture written = super.writeRstStream(ctx, streamId, errorCode, promise);
                order.resetSent(streamId);
                if (errorCode != Http2Error.NO_ERROR.code() && isTooManyResets()) {
                    flooded.flooded(ctx, calm("resets provoked"));
                }
                return written;
            }

            @Override
            public ChannelFuture writeHeaders(
                    ChannelHandlerContext ctx,
                    int streamId,
                    Http2Headers headers,
                    int padding,
                    boolean endStream,
                    ChannelPromise promise) {
                freePing = true;
                return super.writeHeaders(ctx, streamId, headers, padding, endStream, promise);
            }

            @Override
            public ChannelFuture writeData(
                    ChannelHandlerContext ctx,
                    int streamId,
                    ByteBuf data,
                    int padding,
                    boolean endStream,
                    ChannelPromise promise) {
                freePing = true;
                return super.writeData(ctx, streamId, data, padding, endStream, promise);
            }
        };
    }

    /** Ends the connection. */
    interface Flooded {
        void flooded(ChannelHandlerContext ctx, Http2Exception cause);
    }

    private final class Counting extends Http2FrameListenerDecorator {
        Counting(Http2FrameListener listener) {
            super(listener);
        }

        @Override
        public int onDataRead(ChannelHandlerContext ctx, int streamId, ByteBuf data, int padding, boolean endOfStream)
                throws Http2Exception {
            if (data.isReadable() || endOfStream) {
                emptyData = 0;
                freePing = true;
            } else if (++emptyData > maxEmptyData) {
                throw calm("empty DATA frames");
            }
            return super.onDataRead(ctx, streamId, data, padding, endOfStream);
        }

        @Override
        public void onHeadersRead(
                ChannelHandlerContext ctx,
                int streamId,
                Http2Headers headers,
                int streamDependency,
                short weight,
                boolean exclusive,
                int padding,
                boolean endStream)
                throws Http2Exception {
            freePing = true;
            order.check(streamId);
            super.onHeadersRead(ctx, streamId, headers, streamDependency, weight, exclusive, padding, endStream);
        }

        @Override
        public void onHeadersRead(
                ChannelHandlerContext ctx, int streamId, Http2Headers headers, int padding, boolean endStream)
                throws Http2Exception {
            freePing = true;
            order.check(streamId);
            super.onHeadersRead(ctx, streamId, headers, padding, endStream);
        }

        @Override
        public void onRstStreamRead(ChannelHandlerContext ctx, int streamId, long errorCode) throws Http2Exception {
            // One for a stream that we have answered in full already saves work; those cost the peer more than us.
            Http2Stream stream = connection.stream(streamId);
            if (stream != null && stream.state() != Http2Stream.State.HALF_CLOSED_LOCAL && isTooManyResets()) {
                throw calm("resets");
            }
            super.onRstStreamRead(ctx, streamId, errorCode);
        }

        @Override
        public void onSettingsRead(ChannelHandlerContext ctx, Http2Settings settings) throws Http2Exception {
            control();
            super.onSettingsRead(ctx, settings);
        }

        @Override
        public void onSettingsAckRead(ChannelHandlerContext ctx) throws Http2Exception {
            control();
            super.onSettingsAckRead(ctx);
        }

        @Override
        public void onPingRead(ChannelHandlerContext ctx, long data) throws Http2Exception {
            if (freePing) {
                freePing = false;
            } else {
                control();
            }
            super.onPingRead(ctx, data);
        }

        @Override
        public void onPingAckRead(ChannelHandlerContext ctx, long data) throws Http2Exception {
            control();
            super.onPingAckRead(ctx, data);
        }

        @Override
        public void onPriorityRead(
                ChannelHandlerContext ctx, int streamId, int streamDependency, short weight, boolean exclusive)
                throws Http2Exception {
            control();
            super.onPriorityRead(ctx, streamId, streamDependency, weight, exclusive);
        }

        @Override
        public void onGoAwayRead(ChannelHandlerContext ctx, int lastStreamId, long errorCode, ByteBuf debugData)
                throws Http2Exception {
            control();
            super.onGoAwayRead(ctx, lastStreamId, errorCode, debugData);
        }

        @Override
        public void onUnknownFrame(
                ChannelHandlerContext ctx, byte frameType, int streamId, Http2Flags flags, ByteBuf payload)
                throws Http2Exception {
            control();
            super.onUnknownFrame(ctx, frameType, streamId, flags, payload);
        }
    }
}
