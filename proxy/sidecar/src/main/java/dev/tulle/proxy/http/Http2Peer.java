package dev.tulle.proxy.http;

import dev.tulle.proxy.bootstrap.Limits;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.http2.DefaultHttp2Connection;
import io.netty.handler.codec.http2.DefaultHttp2ConnectionDecoder;
import io.netty.handler.codec.http2.DefaultHttp2ConnectionEncoder;
import io.netty.handler.codec.http2.DefaultHttp2FrameReader;
import io.netty.handler.codec.http2.DefaultHttp2FrameWriter;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.DefaultHttp2RemoteFlowController;
import io.netty.handler.codec.http2.Http2Connection;
import io.netty.handler.codec.http2.Http2ConnectionAdapter;
import io.netty.handler.codec.http2.Http2ConnectionDecoder;
import io.netty.handler.codec.http2.Http2ConnectionEncoder;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2EventAdapter;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2PromisedRequestVerifier;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2Stream;
import io.netty.handler.codec.http2.UniformStreamByteDistributor;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What both sides of an HTTP/2 connection have in common: frames in and out, streams, windows and their limits.
 *
 * <p>A window is opened again only by as many bytes as the other leg has really written on. A stream error resets the stream with
 * that error's code. Source: RFC 9113.
 */
abstract class Http2Peer extends Http2ConnectionHandler implements Sweeper.Swept {
    /** Source: RFC 9113, 6.9.2. */
    private static final int DEFAULT_WINDOW = 65_535;

    private final Limits limits;
    private final Http2Connection.PropertyKey key;
    private @Nullable ChannelHandlerContext context;
    private boolean flushAsked;
    private boolean flooded;
    private long moved = System.nanoTime();

    /** Everything a handler of Netty wants to have at its construction. */
    private record Parts(
            Http2ConnectionDecoder decoder,
            Http2ConnectionEncoder encoder,
            Http2Settings settings,
            Http2Floods floods) {
        static Parts of(boolean server, Limits limits, Http2Floods.Flooded flooded) {
            Http2Connection connection = new DefaultHttp2Connection(server);
            Http2Floods floods = new Http2Floods(connection, limits.http2());
            connection
                    .remote()
                    .flowController(new DefaultHttp2RemoteFlowController(
                            connection, new UniformStreamByteDistributor(connection)));
            Http2ConnectionEncoder encoder = new DefaultHttp2ConnectionEncoder(
                    connection, floods.counting(new DefaultHttp2FrameWriter(), flooded));
            Http2ConnectionDecoder decoder = new DefaultHttp2ConnectionDecoder(
                    connection,
                    encoder,
                    floods.counting(new DefaultHttp2FrameReader(
                            new DefaultHttp2HeadersDecoder(
                                    true, true, limits.http().maxHeaderBytes()),
                            limits.http2().maxContinuationFrames())),
                    Http2PromisedRequestVerifier.ALWAYS_VERIFY,
                    true,
                    true,
                    true);
            Http2Settings settings = new Http2Settings()
                    .initialWindowSize(limits.http2().initialStreamWindowBytes())
                    .maxHeaderListSize(limits.http().maxHeaderBytes());
            if (server) {
                settings.maxConcurrentStreams(limits.http2().maxConcurrentStreams());
                // Netty holds a client to it only once the client has acknowledged, which a hostile one never does.
                connection.remote().maxActiveStreams(limits.http2().maxConcurrentStreams());
            } else {
                settings.pushEnabled(false).maxConcurrentStreams(0);
            }
            return new Parts(decoder, encoder, settings, floods);
        }
    }

    /** Lets the writer tell a handler that is only being made of a flood. */
    private static final class Late implements Http2Floods.Flooded {
        private @Nullable Http2Peer peer;

        @Override
        public void flooded(ChannelHandlerContext ctx, Http2Exception cause) {
            if (peer != null) {
                peer.flooded(ctx, cause);
            }
        }
    }

    Http2Peer(boolean server, Limits limits) {
        this(server, limits, new Late());
    }

    private Http2Peer(boolean server, Limits limits, Late late) {
        this(Parts.of(server, limits, late), limits);
        late.peer = this;
    }

    private Http2Peer(Parts parts, Limits limits) {
        super(parts.decoder, parts.encoder, parts.settings);
        this.limits = limits;
        this.key = connection().newKey();
        decoder().frameListener(new Frames());
        connection().addListener(new Http2ConnectionAdapter() {
            @Override
            public void onStreamClosed(Http2Stream stream) {
                Stream state = stream.getProperty(key);
                if (state != null) {
                    if (state.isClean()) {
                        parts.floods.endedWell();
                    }
                    state.closed();
                }
                streamEnded();
            }
        });
    }

    final Limits limits() {
        return limits;
    }

    final @Nullable ChannelHandlerContext context() {
        return context;
    }

    final long moved() {
        return moved;
    }

    final int activeStreams() {
        return connection().numActiveStreams();
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) throws Exception {
        super.handlerAdded(ctx);
        context = ctx;
        connection()
                .local()
                .flowController()
                .incrementWindowSize(
                        connection().connectionStream(), limits.http2().connectionWindowBytes() - DEFAULT_WINDOW);
        Sweeper.of(ctx.channel().eventLoop()).add(this);
        flushSoon();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) throws Exception {
        Sweeper.of(ctx.channel().eventLoop()).remove(this);
        super.channelInactive(ctx);
        gone();
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) throws Exception {
        if (event instanceof ChannelInputShutdownEvent) {
            // Without the peer's WINDOW_UPDATE frames nothing can go on.
            ctx.close();
        }
        super.userEventTriggered(ctx, event);
    }

    @Override
    protected void onStreamError(
            ChannelHandlerContext ctx, boolean outbound, Throwable cause, Http2Exception.StreamException error) {
        Stream stream = streamOf(error.streamId());
        if (stream != null) {
            stream.failure = Reset.MALFORMED;
        }
        super.onStreamError(ctx, outbound, cause, error);
        flushSoon();
    }

    @Override
    public void sweep(long now) {
        long idle = limits.connections().idleTimeout().toNanos();
        if (activeStreams() > 0) {
            for (Stream stream : streams()) {
                if (now - stream.moved > idle) {
                    stream.failure = Reset.IDLE;
                    stream.sendReset(Http2Error.CANCEL.code());
                }
            }
        } else {
            sweepIdle(TimeUnit.NANOSECONDS.toMillis(now - moved));
        }
    }

    /** No stream is under way for so long. */
    abstract void sweepIdle(long millis);

    /** Headers of a stream that has no state yet. */
    abstract void opened(Http2Stream stream, Http2Headers headers, boolean end);

    /** A stream has ended; there may be room for another. */
    abstract void streamEnded();

    /** The connection has ended. */
    abstract void gone();

    /** The peer's settings or its GOAWAY came. */
    abstract void peerChanged();

    private void flooded(ChannelHandlerContext ctx, Http2Exception cause) {
        if (!flooded) {
            flooded = true;
            ctx.executor().execute(() -> onError(ctx, false, cause));
        }
    }

    private List<Stream> streams() {
        List<Stream> found = new ArrayList<>();
        try {
            connection().forEachActiveStream(stream -> {
                Stream state = stream.getProperty(key);
                if (state != null) {
                    found.add(state);
                }
                return true;
            });
        } catch (Http2Exception e) {
            throw new IllegalStateException("looking at streams cannot fail", e);
        }
        return found;
    }

    private @Nullable Stream streamOf(int id) {
        Http2Stream stream = connection().stream(id);
        return stream == null ? null : stream.getProperty(key);
    }

    final void flushSoon() {
        if (!flushAsked && context != null) {
            flushAsked = true;
            context.executor().execute(() -> {
                flushAsked = false;
                if (context != null && context.channel().isActive()) {
                    flush(context);
                }
            });
        }
    }

    /** What every stream does, on either side. */
    abstract class Stream implements StreamEnd {
        private final Http2Stream stream;
        private @Nullable StreamListener listener;
        private boolean sentEnd;
        private boolean receivedEnd;
        private boolean over;
        private @Nullable Reset failure;
        private long moved = System.nanoTime();

        Stream(Http2Stream stream) {
            this.stream = stream;
            stream.setProperty(key, this);
        }

        /** Headers behind the first ones. */
        abstract void moreHeaders(Http2Headers headers, boolean end) throws MalformedMessage;

        final void listener(StreamListener hears) {
            listener = hears;
        }

        final boolean isOver() {
            return over || sentEnd || context == null;
        }

        final boolean isReceivedEnd() {
            return receivedEnd;
        }

        final void receivedEnd() {
            receivedEnd = true;
        }

        final void sentEnd() {
            sentEnd = true;
        }

        final void trailersReceived(Fields trailers) {
            if (!over && listener != null) {
                if (trailers.size() == 0) {
                    listener.onData(Unpooled.EMPTY_BUFFER, true);
                } else {
                    listener.onTrailers(trailers);
                }
            }
        }

        final void writeHeaders(Http2Headers headers, boolean end) {
            if (context == null) {
                return;
            }
            moved = System.nanoTime();
            ChannelFuture written = encoder().writeHeaders(context, stream.id(), headers, 0, end, context.newPromise());
            if (end) {
                ending(written);
            }
            flushSoon();
        }

        @Override
        public void data(ByteBuf data, boolean end) {
            if (isOver() || context == null) {
                data.release();
                return;
            }
            int length = data.readableBytes();
            ChannelPromise promise = context.newPromise();
            promise.addListener(done -> {
                moved = System.nanoTime();
                if (listener != null && length > 0) {
                    listener.onDrained(length);
                }
            });
            ChannelFuture written = encoder().writeData(context, stream.id(), data, 0, end, promise);
            if (end) {
                ending(written);
            }
            flushSoon();
        }

        @Override
        public void trailers(Fields trailers) {
            if (!isOver()) {
                if (trailers.size() == 0) {
                    data(Unpooled.EMPTY_BUFFER, true);
                } else {
                    writeHeaders(Http2Heads.write(trailers), true);
                }
            }
        }

        /** Once our message has left, the rest of the peer's is not needed. */
        private void ending(ChannelFuture written) {
            sentEnd = true;
            if (stopsPeerAtEnd()) {
                written.addListener(done -> {
                    if (!receivedEnd && !over) {
                        sendReset(Http2Error.NO_ERROR.code());
                    }
                });
            }
        }

        /** Whether the end of our message makes what the peer still sends pointless. */
        abstract boolean stopsPeerAtEnd();

        @Override
        public void reset(Reset reset) {
            if (!over) {
                over = true;
                sendReset(reset.code());
            }
        }

        final void sendReset(long code) {
            if (context != null && context.channel().isActive()) {
                resetStream(context, stream.id(), code, context.newPromise());
                flushSoon();
            }
        }

        @Override
        public void consumed(int bytes) {
            if (bytes > 0 && context != null && context.channel().isActive()) {
                try {
                    if (connection().local().flowController().consumeBytes(stream, bytes)) {
                        flushSoon();
                    }
                } catch (Http2Exception e) {
                    onError(context, false, e);
                }
            }
        }

        private void received(ByteBuf data, boolean end) {
            moved = System.nanoTime();
            receivedEnd |= end;
            if (over || listener == null) {
                consumed(data.readableBytes());
            } else {
                listener.onData(data.retain(), end);
            }
        }

        private void resetByPeer(long code) {
            failure = code == Http2Error.REFUSED_STREAM.code() ? Reset.UNPROCESSED : Reset.byPeer(code);
        }

        private boolean isClean() {
            return sentEnd && receivedEnd && failure == null;
        }

        private void closed() {
            boolean clean = sentEnd && receivedEnd;
            if (!over) {
                over = true;
                if (!clean && listener != null) {
                    Reset reset = failure != null ? failure : lost(stream);
                    listener.onReset(reset);
                }
            }
        }
    }

    /** Why a stream is gone that nobody reset. */
    Reset lost(Http2Stream stream) {
        return Reset.LOST;
    }

    /** Hears the frames of the connection once Netty's decoder has checked them. */
    private final class Frames extends Http2EventAdapter {
        @Override
        public void onHeadersRead(
                ChannelHandlerContext ctx,
                int streamId,
                Http2Headers headers,
                int streamDependency,
                short weight,
                boolean exclusive,
                int padding,
                boolean end)
                throws Http2Exception {
            onHeadersRead(ctx, streamId, headers, padding, end);
        }

        @Override
        public void onHeadersRead(
                ChannelHandlerContext ctx, int streamId, Http2Headers headers, int padding, boolean end)
                throws Http2Exception {
            moved = System.nanoTime();
            Http2Stream stream = connection().stream(streamId);
            if (stream == null) {
                return;
            }
            Stream state = stream.getProperty(key);
            if (state == null) {
                opened(stream, headers, end);
                return;
            }
            if (end) {
                state.receivedEnd();
            }
            try {
                state.moreHeaders(headers, end);
            } catch (MalformedMessage e) {
                state.receivedEnd = false;
                throw Http2Exception.streamError(streamId, Http2Error.PROTOCOL_ERROR, "%s", e.detail());
            }
        }

        @Override
        public int onDataRead(ChannelHandlerContext ctx, int streamId, ByteBuf data, int padding, boolean end) {
            moved = System.nanoTime();
            Stream stream = streamOf(streamId);
            if (stream == null) {
                return data.readableBytes() + padding;
            }
            stream.received(data, end);
            return padding;
        }

        @Override
        public void onRstStreamRead(ChannelHandlerContext ctx, int streamId, long errorCode) {
            Stream stream = streamOf(streamId);
            if (stream != null) {
                stream.resetByPeer(errorCode);
            }
        }

        @Override
        public void onSettingsRead(ChannelHandlerContext ctx, Http2Settings settings) {
            peerChanged();
        }

        @Override
        public void onGoAwayRead(ChannelHandlerContext ctx, int lastStreamId, long errorCode, ByteBuf debugData) {
            peerChanged();
        }
    }
}
