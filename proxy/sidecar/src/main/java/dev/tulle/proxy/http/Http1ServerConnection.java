package dev.tulle.proxy.http;

import dev.tulle.proxy.bootstrap.Limits;
import dev.tulle.proxy.http.Http1Encoder.Persistence;
import dev.tulle.proxy.http.Http1Heads.Framing;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.ssl.SslHandler;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/**
 * The server's side of one HTTP/1.1 connection: one request after the other, each answered before the next is read.
 *
 * <p>A client that closes its sending side gives its request up.
 */
public final class Http1ServerConnection extends Http1Connection<Http1ServerConnection.Served>
        implements ServerConnection {
    /** How long what a client still sends is read and thrown away after an answer that closes the connection. */
    private static final long LINGER_MILLIS = 2000;

    private final RequestHandler handler;
    private boolean draining;
    private boolean lingering;
    private boolean closed;
    private boolean anyRequest;

    /** When the connection begins to end, for its certificates do; 0 while that is not known. */
    private long drainNanos;

    /** When the head that is under way began, 0 for none; bytes that trickle in do not move it. */
    private long headBegan;

    public Http1ServerConnection(RequestHandler handler, Limits limits) {
        super(limits, true);
        this.handler = handler;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ByteBuf in = (ByteBuf) message;
        if (isDeaf()) {
            in.release();
        } else {
            received(in);
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof ChannelInputShutdownEvent) {
            Served exchange = current();
            if (lingering) {
                close();
            } else if (exchange != null && exchange.isTunnel() && !exchange.isIncomingDone()) {
                exchange.receivedEnd(Fields.EMPTY);
            } else if (exchange == null) {
                finishAndClose();
            } else {
                ended(Reset.CANCELLED);
                close();
            }
        }
        ctx.fireUserEventTriggered(event);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        ended(Reset.LOST);
        close();
    }

    @Override
    public void drain() {
        draining = true;
        if (current() == null && !decoder().insideHead() && !holdsBytes()) {
            finishAndClose();
        }
    }

    @Override
    void sweep(long now, long stillMillis) {
        Limits.Connections limits = limits().connections();
        ChannelHandlerContext ctx = context();
        if (drainNanos == 0 && ctx != null) {
            drainNanos = CertificateEnd.drainNanos(
                    ctx.pipeline(), limits.drainTimeout().toMillis());
        }
        if (drainNanos != 0 && now - drainNanos > 0) {
            drain();
        }
        if (current() != null) {
            if (stillMillis > limits.idleTimeout().toMillis()) {
                ended(Reset.IDLE);
                close();
            }
        } else if (decoder().insideHead()) {
            if (now - headBegan > limits.headerTimeout().toNanos()) {
                refuse(408, "the request head took too long");
            }
        } else if (stillMillis > (anyRequest ? limits.idleTimeout() : limits.firstRequestTimeout()).toMillis()) {
            close();
        }
    }

    @Override
    boolean isDeaf() {
        return closed || lingering;
    }

    /** Not while an answer to a complete request is awaited. */
    @Override
    boolean wantsBytes() {
        Served exchange = current();
        return exchange == null || !exchange.isIncomingDone();
    }

    @Override
    void decoded() {
        if (!decoder().insideHead()) {
            headBegan = 0;
        } else if (headBegan == 0) {
            headBegan = System.nanoTime();
        }
    }

    @Override
    void head() throws MalformedMessage {
        Http1Heads.Request request = Http1Heads.request(
                decoder().scratch(), decoder().headLength(), limits().http().maxHeaderFields());
        for (String expectation : request.head().fields().all("expect")) {
            if (!expectation.equalsIgnoreCase("100-continue")) {
                throw new MalformedMessage(417, "nothing is known of this expectation");
            }
        }
        anyRequest = true;
        headBegan = 0;
        boolean end = request.framing() == Framing.NONE;
        decoder().body(request.framing(), request.head().length());
        Served exchange = new Served(request, end);
        current(exchange);
        exchange.listener(handler.onRequest(request.head(), end, exchange));
        exchange.finish();
    }

    @Override
    void malformed(MalformedMessage cause) {
        Served exchange = current();
        if (cause.isOtherProtocol() && !anyRequest) {
            // A broken preface of HTTP/2, say, which wants the end of the connection (RFC 9113, 3.4).
            close();
        } else if (exchange == null || !exchange.responseStarted) {
            refuse(cause.status(), cause.detail());
        } else {
            ended(Reset.MALFORMED);
            close();
        }
    }

    /** Answers a request that cannot be understood, or not in time, and closes. */
    private void refuse(int status, String detail) {
        ended(Reset.MALFORMED);
        if (isDeaf()) {
            return;
        }
        byte[] text = ("tulle: " + detail + "\n").getBytes(StandardCharsets.US_ASCII);
        Fields fields = Fields.of("content-type", "text/plain", Answers.REASON_FIELD, Answers.MALFORMED);
        Http1Encoder.response(
                new ResponseHead(status, "", fields, text.length),
                text.length,
                false,
                Persistence.CLOSE,
                false,
                output().room(Http1Encoder.estimate(fields) + text.length));
        output().body(Unpooled.wrappedBuffer(text));
        linger();
    }

    /** Tells the exchange under way that it is over. */
    private void ended(Reset reset) {
        Served exchange = current();
        current(null);
        if (exchange != null && !(exchange.isIncomingDone() && exchange.isOutgoingDone())) {
            StreamListener listener = exchange.listener();
            if (listener != null) {
                exchange.outgoingDone();
                listener.onReset(reset);
            }
        }
    }

    @Override
    void lost() {
        ended(Reset.LOST);
        closed = true;
    }

    /** Sends what is written, then the end; what still comes is thrown away for a while, for a reset could undo the answer. */
    private void linger() {
        if (isDeaf()) {
            return;
        }
        lingering = true;
        output().flush();
        output().close();
        ChannelHandlerContext ctx = context();
        SslHandler tls = ctx.pipeline().get(SslHandler.class);
        if (tls != null) {
            tls.closeOutbound();
        } else if (ctx.channel() instanceof DuplexChannel duplex) {
            duplex.shutdownOutput();
        }
        ctx.channel().config().setAutoRead(true);
        ctx.executor().schedule(this::close, LINGER_MILLIS, TimeUnit.MILLISECONDS);
    }

    private void finishAndClose() {
        if (!closed) {
            closed = true;
            flushAndClose();
        }
    }

    @Override
    public void close() {
        closed = true;
        closeNow();
    }

    /** One request and its answer. */
    final class Served extends Http1Exchange implements ServerStream {
        private final boolean http10;
        private boolean keepAlive;
        private boolean responseStarted;

        private Served(Http1Heads.Request request, boolean end) {
            super(Http1ServerConnection.this, request.head());
            this.http10 = request.http10();
            this.keepAlive = request.keepAlive();
            incomingDone(end);
        }

        private boolean isOver() {
            return isGone() || isOutgoingDone();
        }

        @Override
        boolean sendsBody() {
            return responseStarted;
        }

        @Override
        public void inform(ResponseHead informational) {
            if (isOver() || responseStarted || http10) {
                return;
            }
            ByteBuf out = output().room(Http1Encoder.estimate(informational.fields()));
            Http1Encoder.response(informational, RequestHead.UNKNOWN, false, Persistence.IMPLIED, false, out);
        }

        @Override
        public void respond(ResponseHead answer, boolean end) {
            if (isOver() || responseStarted) {
                return;
            }
            responseStarted = true;
            moved();
            boolean tunnel = answer.status() == 101;
            boolean bodyless = !tunnel && ResponseHead.hasNoBody(head().method(), answer.status());
            boolean unknown = !tunnel && !bodyless && !end && answer.length() < 0;
            boolean chunked = unknown && !http10;
            if (draining || (unknown && http10) || !isIncomingDone()) {
                // The rest of a request is not waited for once its answer is over: the client must know by then.
                keepAlive = false;
            }
            long body = unknown || tunnel || bodyless ? RequestHead.UNKNOWN : end ? 0 : answer.length();
            sends(chunked, bodyless, body);
            long declared = !bodyless ? body : answer.status() == 204 ? RequestHead.UNKNOWN : answer.length();
            Persistence persistence =
                    !keepAlive ? Persistence.CLOSE : http10 ? Persistence.KEEP_ALIVE : Persistence.IMPLIED;
            ByteBuf out = output().room(Http1Encoder.estimate(answer.fields()) + bodyRoom(end));
            Http1Encoder.response(answer, declared, chunked, persistence, tunnel, out);
            if (tunnel) {
                keepAlive = false;
                becomeTunnel();
                decoder().body(Framing.UNTIL_CLOSE, RequestHead.UNKNOWN);
                decode();
            } else if (end) {
                outgoingDone();
                finish();
            }
        }

        @Override
        public void reset(Reset reset) {
            if (current() == this && !(isIncomingDone() && isOutgoingDone())) {
                current(null);
                outgoingDone();
                if (responseStarted && endsWithConnection()) {
                    // The end of the connection would look like the end of the answer.
                    context().channel().config().setOption(ChannelOption.SO_LINGER, 0);
                }
                output().flush();
                close();
            }
        }

        /** Goes on to the next request once this one is answered. */
        @Override
        void finish() {
            if (current() != this || !isOutgoingDone() || listener() == null) {
                return;
            }
            current(null);
            if (!isIncomingDone()) {
                if (isTunnel()) {
                    finishAndClose();
                } else {
                    linger();
                }
            } else if (!keepAlive || draining) {
                finishAndClose();
            } else {
                decoder().expectHead();
                moved();
                decode();
            }
        }
    }
}
