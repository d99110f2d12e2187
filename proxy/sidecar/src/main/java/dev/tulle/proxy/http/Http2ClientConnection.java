package dev.tulle.proxy.http;

import dev.tulle.proxy.bootstrap.Limits;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Stream;

/** The client's side of one HTTP/2 connection; many requests at once, as many as the server takes. */
public final class Http2ClientConnection extends Http2Peer implements HttpConnection {
    /** Informational answers that one request may get; nothing slows them down. */
    private static final int MAX_INFORMATIONAL = 16;

    /**
     * Streams given up on one connection before it takes no new ones. With those under way then, fewer than the 200 in half a minute
     * at which common servers end a connection, and with it the requests of every other caller.
     */
    private static final int MAX_RESETS = 99;

    /** Taken for the server's limit before it has told its own. Source: RFC 9113, 6.5.2 recommends no fewer. */
    private static final int STREAMS_BEFORE_SETTINGS = 100;

    private final ConnectionOwner owner;
    private boolean settingsCame;
    private boolean unusable;
    private int resets;

    public Http2ClientConnection(ConnectionOwner owner, Limits limits) {
        super(false, limits);
        this.owner = owner;
    }

    @Override
    public ClientStream open(RequestHead head, boolean end, ResponseListener listener) {
        ChannelHandlerContext ctx = context();
        if (ctx == null || !hasRoom()) {
            throw new IllegalStateException("a request was opened on a connection without room");
        }
        int id = connection().local().incrementAndGetNextStreamId();
        ChannelFuture written = encoder().writeHeaders(ctx, id, Http2Heads.write(head), 0, end, ctx.newPromise());
        Http2Stream stream = connection().stream(id);
        if (stream == null) {
            // The encoder has refused it; tell after the caller has heard of the stream.
            Refused refused = new Refused();
            written.addListener(done -> ctx.executor().execute(() -> {
                if (!refused.reset) {
                    listener.onReset(Reset.UNPROCESSED);
                }
            }));
            return refused;
        }
        Exchange exchange = new Exchange(stream, listener, end);
        flushSoon();
        return exchange;
    }

    @Override
    public boolean hasRoom() {
        ChannelHandlerContext ctx = context();
        int most = settingsCame ? connection().local().maxActiveStreams() : STREAMS_BEFORE_SETTINGS;
        most = Math.min(most, limits().http2().maxConcurrentStreams());
        return !unusable
                && ctx != null
                && ctx.channel().isActive()
                && !connection().goAwayReceived()
                && !connection().goAwaySent()
                && activeStreams() < most
                && connection().local().lastStreamCreated() < Integer.MAX_VALUE - 2;
    }

    @Override
    public boolean isIdle() {
        return activeStreams() == 0;
    }

    @Override
    public void drain() {
        markUnusable();
        if (isIdle()) {
            close();
        }
    }

    @Override
    public void close() {
        markUnusable();
        ChannelHandlerContext ctx = context();
        if (ctx != null) {
            ctx.close();
        }
    }

    @Override
    void sweepIdle(long millis) {
        if (millis > limits().connections().poolIdleTimeout().toMillis()) {
            close();
        }
    }

    /** A server may not open streams to us. */
    @Override
    void opened(Http2Stream stream, Http2Headers headers, boolean end) {
        close();
    }

    @Override
    void streamEnded() {
        ChannelHandlerContext ctx = context();
        if (ctx == null) {
            return;
        }
        // Later in this round: the stream that ends is not yet out of the books.
        ctx.executor().execute(() -> {
            if (unusable && isIdle()) {
                close();
            } else if (hasRoom()) {
                owner.onRoom(this);
            }
        });
    }

    @Override
    void gone() {
        markUnusable();
    }

    @Override
    void peerChanged() {
        settingsCame = true;
        if (connection().goAwayReceived()) {
            drain();
        } else if (hasRoom()) {
            owner.onRoom(this);
        }
    }

    /** Without a GOAWAY that tells, the server may have seen the request: only one that may be repeated is sent again. */
    @Override
    Reset lost(Http2Stream stream) {
        return connection().goAwayReceived()
                        && stream.id() > connection().local().lastStreamKnownByPeer()
                ? Reset.UNPROCESSED
                : Reset.STALE;
    }

    private void markUnusable() {
        if (!unusable) {
            unusable = true;
            owner.onUnusable(this);
        }
    }

    /** A stream that never came to be. */
    private static final class Refused implements ClientStream {
        private boolean reset;

        @Override
        public void data(ByteBuf data, boolean end) {
            data.release();
        }

        @Override
        public void trailers(Fields trailers) {}

        @Override
        public void reset(Reset cause) {
            reset = true;
        }

        @Override
        public void consumed(int bytes) {}
    }

    /** One request and its answer. */
    private final class Exchange extends Stream implements ClientStream {
        private final ResponseListener answers;
        private boolean responded;
        private int informational;

        Exchange(Http2Stream stream, ResponseListener answers, boolean end) {
            super(stream);
            this.answers = answers;
            listener(answers);
            if (end) {
                sentEnd();
            }
        }

        @Override
        void moreHeaders(Http2Headers headers, boolean end) throws MalformedMessage {
            if (responded) {
                if (!end) {
                    throw MalformedMessage.badRequest("headers in the midst of an answer");
                }
                trailersReceived(
                        Http2Heads.trailers(headers, false, limits().http().maxTrailerFields()));
                return;
            }
            ResponseHead head = Http2Heads.response(headers, limits().http().maxHeaderFields());
            if (head.status() < 200) {
                if (end) {
                    throw MalformedMessage.badRequest("an answer that is informational only");
                }
                if (++informational > MAX_INFORMATIONAL) {
                    throw MalformedMessage.badRequest("too many informational answers");
                }
                answers.onInform(head);
            } else {
                responded = true;
                answers.onResponse(head, end);
            }
        }

        @Override
        boolean stopsPeerAtEnd() {
            return false;
        }

        @Override
        public void reset(Reset reset) {
            super.reset(reset);
            ChannelHandlerContext ctx = context();
            if (++resets == MAX_RESETS && ctx != null) {
                ctx.executor().execute(Http2ClientConnection.this::drain);
            }
        }
    }
}
