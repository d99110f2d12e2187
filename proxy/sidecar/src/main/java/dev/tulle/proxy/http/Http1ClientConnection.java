package dev.tulle.proxy.http;

import dev.tulle.proxy.bootstrap.Limits;
import dev.tulle.proxy.http.Http1Heads.Framing;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.ssl.SslCloseCompletionEvent;

/**
 * The client's side of one HTTP/1.1 connection: one request at a time, used again only when request and answer ended cleanly and no
 * byte is left over.
 */
public final class Http1ClientConnection extends Http1Connection<Http1ClientConnection.Sent> implements HttpConnection {
    /** Informational answers that one request may get. */
    private static final int MAX_INFORMATIONAL = 16;

    private final ConnectionOwner owner;
    private final boolean secure;
    private boolean unusable;
    private boolean closing;
    private long requests;

    /** @param secure whether the end of the connection alone may not end an answer, for anyone on the way could have made it */
    public Http1ClientConnection(ConnectionOwner owner, Limits limits, boolean secure) {
        super(limits, false);
        this.owner = owner;
        this.secure = secure;
    }

    @Override
    public ClientStream open(RequestHead head, boolean end, ResponseListener listener) {
        if (!hasRoom()) {
            throw new IllegalStateException("a request was opened on a connection without room");
        }
        Sent exchange = new Sent(head, end, listener);
        current(exchange);
        requests++;
        moved();
        decoder().expectHead();
        ByteBuf out = output().room(Http1Encoder.estimate(head) + exchange.bodyRoom(end));
        Http1Encoder.request(head, end, out);
        return exchange;
    }

    @Override
    public boolean hasRoom() {
        return current() == null && !unusable && context().channel().isActive();
    }

    @Override
    public boolean isIdle() {
        return current() == null;
    }

    @Override
    public void drain() {
        markUnusable();
        if (current() == null) {
            close();
        }
    }

    @Override
    public void close() {
        closing = true;
        markUnusable();
        closeNow();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ByteBuf in = (ByteBuf) message;
        Sent exchange = current();
        if (exchange == null || closing) {
            in.release();
            close();
            return;
        }
        exchange.answered = true;
        received(in);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof ChannelInputShutdownEvent || event instanceof SslCloseCompletionEvent) {
            lost();
        }
        ctx.fireUserEventTriggered(event);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        failed(brokenOff());
    }

    @Override
    void sweep(long now, long stillMillis) {
        if (current() == null) {
            if (stillMillis > limits().connections().poolIdleTimeout().toMillis()) {
                close();
            }
        } else if (stillMillis > limits().connections().idleTimeout().toMillis()) {
            failed(Reset.IDLE);
        }
    }

    @Override
    void lost() {
        Sent exchange = current();
        if (exchange != null && decoder().untilClose() && (exchange.isTunnel() || !secure)) {
            current(null);
            exchange.hearing.onData(Unpooled.EMPTY_BUFFER, true);
            close();
        } else {
            failed(brokenOff());
        }
    }

    /** What it means to the request under way that the peer has closed or reset the connection. */
    private Reset brokenOff() {
        Sent exchange = current();
        return exchange != null && !exchange.answered && requests > 1 ? Reset.STALE : Reset.LOST;
    }

    @Override
    boolean isDeaf() {
        return closing || current() == null;
    }

    @Override
    boolean wantsBytes() {
        return true;
    }

    @Override
    void decoded() {
        if (current() == null && holdsBytes()) {
            close();
        }
    }

    @Override
    void malformed(MalformedMessage cause) {
        failed(Reset.MALFORMED);
    }

    @Override
    void head() throws MalformedMessage {
        Sent exchange = current();
        if (exchange == null) {
            return;
        }
        Http1Heads.Response response = Http1Heads.response(
                decoder().scratch(),
                decoder().headLength(),
                limits().http().maxHeaderFields(),
                exchange.head().method(),
                exchange.head().websocket());
        ResponseHead head = response.head();
        if (head.status() < 200 && head.status() != 101) {
            if (++exchange.informational > MAX_INFORMATIONAL) {
                throw MalformedMessage.badRequest("too many informational answers");
            }
            decoder().expectHead();
            exchange.hearing.onInform(head);
            return;
        }
        // An application that sends the body all the same would send it as somebody's next answer; a proxy of ours
        // never does.
        exchange.reusable = response.keepAlive() && (secure || !response.namesAbsentBody());
        decoder().body(response.framing(), head.length());
        boolean end = response.framing() == Framing.NONE;
        if (head.status() == 101) {
            exchange.becomeTunnel();
        } else if (end) {
            exchange.incomingDone(true);
        }
        exchange.hearing.onResponse(head, end);
        exchange.finish();
    }

    private void failed(Reset reset) {
        Sent exchange = current();
        current(null);
        close();
        if (exchange != null && !exchange.isIncomingDone()) {
            exchange.incomingDone(true);
            exchange.hearing.onReset(reset);
        }
    }

    private void markUnusable() {
        if (!unusable) {
            unusable = true;
            owner.onUnusable(this);
        }
    }

    /** One request and its answer. */
    final class Sent extends Http1Exchange implements ClientStream {
        private final ResponseListener hearing;
        private boolean answered;
        private boolean reusable;
        private int informational;

        private Sent(RequestHead head, boolean end, ResponseListener hearing) {
            super(Http1ClientConnection.this, head);
            this.hearing = hearing;
            listener(hearing);
            boolean chunked = Http1Encoder.isChunked(head, end);
            sends(chunked, false, chunked ? RequestHead.UNKNOWN : end ? 0 : head.length());
            if (end) {
                outgoingDone();
            }
        }

        @Override
        boolean sendsBody() {
            return true;
        }

        @Override
        public void reset(Reset reset) {
            if (current() == this) {
                current(null);
                close();
            }
        }

        /** Gives the connection back once both messages are over; an answer before the end of the request ends the upload. */
        @Override
        void finish() {
            if (current() != this) {
                return;
            }
            if (isTunnel() && isOutgoingDone()) {
                current(null);
                markUnusable();
                closing = true;
                flushAndClose();
            } else if (isIncomingDone()) {
                current(null);
                moved();
                if (!isOutgoingDone() || !reusable || unusable || holdsBytes()) {
                    close();
                } else {
                    owner.onRoom(Http1ClientConnection.this);
                }
            }
        }
    }
}
