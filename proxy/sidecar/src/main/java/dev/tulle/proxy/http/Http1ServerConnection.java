package dev.tulle.proxy.http;

import dev.tulle.proxy.bootstrap.Limits;
import dev.tulle.proxy.http.Http1Decoder.Step;
import dev.tulle.proxy.http.Http1Encoder.Persistence;
import dev.tulle.proxy.http.Http1Heads.Framing;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.ssl.SslHandler;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The server's side of one HTTP/1.1 connection: one request after the other, each answered before the next is read.
 *
 * <p>Reads stop while {@code bufferPerStreamBytes} of a body are not consumed, or while as many bytes of requests to come are held.
 * A client that closes its sending side gives its request up.
 */
public final class Http1ServerConnection extends ChannelInboundHandlerAdapter
        implements ServerConnection, Sweeper.Swept {
    /** How long what a client still sends is read and thrown away after an answer that closes the connection. */
    private static final long LINGER_MILLIS = 2000;

    private final RequestHandler handler;
    private final Limits limits;
    private final Http1Decoder decoder;
    private @Nullable ChannelHandlerContext context;
    private @Nullable Flusher flusher;
    private @Nullable ByteBuf held;
    private @Nullable Exchange current;
    private boolean decoding;
    private boolean draining;
    private boolean lingering;
    private boolean closed;
    private boolean anyRequest;
    private long moved = System.nanoTime();

    /** When the head that is under way began, 0 for none; bytes that trickle in do not move it. */
    private long headBegan;

    public Http1ServerConnection(RequestHandler handler, Limits limits) {
        this.handler = handler;
        this.limits = limits;
        this.decoder = new Http1Decoder(limits.http());
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        context = ctx;
        flusher = new Flusher(ctx);
        Sweeper.of(ctx.channel().eventLoop()).add(this);
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        ended(Reset.LOST);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        ended(Reset.LOST);
        ctx.fireChannelInactive();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ByteBuf in = (ByteBuf) message;
        if (closed || lingering) {
            in.release();
            return;
        }
        moved = System.nanoTime();
        held = held == null ? in : ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(ctx.alloc(), held, in);
        decode();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        moved = System.nanoTime();
        Exchange exchange = current;
        if (exchange != null && ctx.channel().isWritable()) {
            exchange.drained();
        }
        ctx.fireChannelWritabilityChanged();
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof ChannelInputShutdownEvent) {
            Exchange exchange = current;
            if (lingering) {
                close();
            } else if (exchange != null && exchange.tunnel && exchange.listener != null && !exchange.requestDone) {
                exchange.requestDone = true;
                exchange.listener.onData(Unpooled.EMPTY_BUFFER, true);
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
        Exchange exchange = current;
        if (exchange == null && !decoder.insideHead() && (held == null || !held.isReadable())) {
            flushAndClose();
        }
    }

    @Override
    public void sweep(long now) {
        long still = TimeUnit.NANOSECONDS.toMillis(now - moved);
        if (current != null) {
            if (still > limits.connections().idleTimeout().toMillis()) {
                ended(Reset.IDLE);
                close();
            }
        } else if (decoder.insideHead()) {
            if (now - headBegan > limits.connections().headerTimeout().toNanos()) {
                refuse(408, "the request head took too long");
            }
        } else if (still
                > (anyRequest
                                ? limits.connections().idleTimeout()
                                : limits.connections().firstRequestTimeout())
                        .toMillis()) {
            close();
        }
    }

    private void decode() {
        if (decoding) {
            return;
        }
        decoding = true;
        try {
            while (!closed && !lingering && held != null && held.isReadable() && wantsBytes()) {
                Step step = decoder.next(held, this::data);
                if (step == Step.MORE) {
                    break;
                }
                if (step == Step.HEAD) {
                    request();
                } else if (step == Step.END) {
                    end(decoder.trailers());
                }
            }
        } catch (MalformedMessage e) {
            Exchange exchange = current;
            if (exchange == null || !exchange.responseStarted) {
                refuse(e.status(), e.detail());
            } else {
                ended(Reset.MALFORMED);
                close();
            }
        } finally {
            decoding = false;
            headBegan = !decoder.insideHead() ? 0 : headBegan == 0 ? System.nanoTime() : headBegan;
            if (held != null && (closed || lingering || !held.isReadable())) {
                held.release();
                held = null;
            }
            steerReads();
        }
    }

    /** Whether bytes may be decoded now: not while an answer to a complete request is awaited. */
    private boolean wantsBytes() {
        Exchange exchange = current;
        return exchange == null || !exchange.requestDone;
    }

    private void request() throws MalformedMessage {
        Http1Heads.Request request = Http1Heads.request(
                decoder.scratch(), decoder.headLength(), limits.http().maxHeaderFields());
        for (String expectation : request.head().fields().all("expect")) {
            if (!expectation.equalsIgnoreCase("100-continue")) {
                throw new MalformedMessage(417, "nothing is known of this expectation");
            }
        }
        anyRequest = true;
        headBegan = 0;
        boolean end = request.framing() == Framing.NONE;
        decoder.body(request.framing(), request.head().length());
        Exchange exchange = new Exchange(request, end);
        current = exchange;
        exchange.listener = handler.onRequest(request.head(), end, exchange);
        exchange.finish();
    }

    private void data(ByteBuf data, boolean last) {
        Exchange exchange = current;
        if (exchange == null || exchange.listener == null) {
            data.release();
            return;
        }
        exchange.unconsumed += data.readableBytes();
        if (last) {
            exchange.requestDone = true;
        }
        exchange.listener.onData(data, last);
        exchange.finish();
    }

    private void end(Fields trailers) {
        Exchange exchange = current;
        if (exchange == null || exchange.listener == null) {
            return;
        }
        exchange.requestDone = true;
        if (trailers.size() == 0) {
            exchange.listener.onData(Unpooled.EMPTY_BUFFER, true);
        } else {
            exchange.listener.onTrailers(trailers);
        }
        exchange.finish();
    }

    /** Answers a request that cannot be understood, or not in time, and closes. */
    private void refuse(int status, String detail) {
        ended(Reset.MALFORMED);
        ChannelHandlerContext ctx = context;
        if (ctx == null || closed || lingering) {
            return;
        }
        ByteBuf text = ByteBufUtil.writeAscii(ctx.alloc(), "tulle: " + detail + "\n");
        Fields fields = Fields.of("content-type", "text/plain", Answers.REASON_FIELD, Answers.MALFORMED);
        ByteBuf out = ctx.alloc().ioBuffer(256);
        Http1Encoder.response(
                new ResponseHead(status, "", fields, text.readableBytes()),
                text.readableBytes(),
                false,
                Persistence.CLOSE,
                false,
                out);
        ctx.write(out, ctx.voidPromise());
        ctx.write(text, ctx.voidPromise());
        linger();
    }

    /** Tells the exchange under way that it is over. */
    private void ended(Reset reset) {
        Exchange exchange = current;
        current = null;
        if (exchange != null && exchange.listener != null && !(exchange.requestDone && exchange.responseDone)) {
            exchange.responseDone = true;
            exchange.listener.onReset(reset);
        }
        if (context != null && !context.channel().isActive()) {
            closed = true;
            if (held != null && !decoding) {
                held.release();
                held = null;
            }
            Sweeper.of(context.channel().eventLoop()).remove(this);
        }
    }

    /** Sends what is written, then the end; what still comes is thrown away for a while, for a reset could undo the answer. */
    private void linger() {
        ChannelHandlerContext ctx = context;
        if (ctx == null || lingering || closed) {
            return;
        }
        lingering = true;
        ctx.flush();
        SslHandler tls = ctx.pipeline().get(SslHandler.class);
        if (tls != null) {
            tls.closeOutbound();
        } else if (ctx.channel() instanceof DuplexChannel duplex) {
            duplex.shutdownOutput();
        }
        ctx.channel().config().setAutoRead(true);
        ctx.executor().schedule(this::close, LINGER_MILLIS, TimeUnit.MILLISECONDS);
    }

    private void flushAndClose() {
        ChannelHandlerContext ctx = context;
        if (ctx != null && !closed) {
            closed = true;
            ctx.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
        }
    }

    @Override
    public void close() {
        closed = true;
        if (context != null) {
            context.close();
        }
    }

    private void write(ByteBuf out) {
        if (context == null || flusher == null || closed) {
            out.release();
            return;
        }
        context.write(out, context.voidPromise());
        flusher.soon();
    }

    private void steerReads() {
        ChannelHandlerContext ctx = context;
        if (ctx == null || closed) {
            return;
        }
        Exchange exchange = current;
        int high = limits.connections().bufferPerStreamBytes();
        boolean wanted = lingering
                || ((exchange == null || exchange.unconsumed < high) && (held == null || held.readableBytes() < high));
        if (ctx.channel().config().isAutoRead() != wanted) {
            ctx.channel().config().setAutoRead(wanted);
        }
    }

    /** One request and its answer. */
    private final class Exchange implements ServerStream {
        private final RequestHead head;
        private final boolean http10;
        private @Nullable StreamListener listener;
        private boolean keepAlive;
        private boolean requestDone;
        private boolean responseStarted;
        private boolean responseDone;
        private boolean continued;
        private boolean chunked;
        private boolean bodyless;
        private boolean tunnel;
        private long remaining = RequestHead.UNKNOWN;
        private int unconsumed;
        private int undrained;

        Exchange(Http1Heads.Request request, boolean end) {
            this.head = request.head();
            this.http10 = request.http10();
            this.keepAlive = request.keepAlive();
            this.requestDone = end;
        }

        private boolean isOver() {
            return current != this || responseDone;
        }

        @Override
        public void inform(ResponseHead informational) {
            if (isOver() || responseStarted || http10 || context == null) {
                return;
            }
            continued = true;
            ByteBuf out = context.alloc().ioBuffer(Http1Encoder.estimate(informational.fields()));
            Http1Encoder.response(informational, RequestHead.UNKNOWN, false, Persistence.IMPLIED, false, out);
            write(out);
        }

        @Override
        public void respond(ResponseHead answer, boolean end) {
            if (isOver() || responseStarted || context == null) {
                return;
            }
            responseStarted = true;
            moved = System.nanoTime();
            tunnel = answer.status() == 101;
            bodyless = !tunnel && ResponseHead.hasNoBody(head.method(), answer.status());
            chunked = !tunnel && !bodyless && !end && answer.length() < 0 && !http10;
            if (draining
                    || (!requestDone && (end || (!continued && head.fields().contains("expect"))))) {
                keepAlive = false;
            }
            if (!tunnel && !bodyless && !end && answer.length() < 0 && http10) {
                keepAlive = false;
            }
            remaining = chunked || tunnel || bodyless ? RequestHead.UNKNOWN : end ? 0 : answer.length();
            long length = bodyless ? (answer.status() == 204 ? -1 : answer.length()) : remaining;
            Persistence persistence =
                    !keepAlive ? Persistence.CLOSE : http10 ? Persistence.KEEP_ALIVE : Persistence.IMPLIED;
            ByteBuf out = context.alloc().ioBuffer(Http1Encoder.estimate(answer.fields()));
            Http1Encoder.response(answer, length, chunked, persistence, tunnel, out);
            write(out);
            if (tunnel) {
                keepAlive = false;
                requestDone = false;
                decoder.body(Framing.UNTIL_CLOSE, RequestHead.UNKNOWN);
                decode();
            } else if (end) {
                responseDone = true;
                finish();
            }
        }

        @Override
        public void data(ByteBuf data, boolean end) {
            if (isOver() || !responseStarted || context == null) {
                data.release();
                return;
            }
            moved = System.nanoTime();
            int length = data.readableBytes();
            if (remaining >= 0 && (length > remaining || (end && length < remaining))) {
                // Neither more nor less than was promised: cut, so that the client sees it.
                data.release();
                reset(Reset.MALFORMED);
                return;
            }
            if (remaining >= 0) {
                remaining -= length;
            }
            if (length == 0 || bodyless) {
                data.release();
            } else if (chunked) {
                ByteBuf size = context.alloc().ioBuffer(16);
                Http1Encoder.chunkSize(length, size);
                write(size);
                write(data);
                ByteBuf tail = context.alloc().ioBuffer(8);
                Http1Encoder.endOfChunk(tail);
                write(tail);
            } else {
                write(data);
            }
            wrote(length);
            if (end) {
                endMessage(Fields.EMPTY);
            }
        }

        @Override
        public void trailers(Fields trailers) {
            if (isOver() || !responseStarted) {
                return;
            }
            if (remaining > 0) {
                reset(Reset.MALFORMED);
                return;
            }
            endMessage(head.takesTrailers() ? trailers : Fields.EMPTY);
        }

        private void endMessage(Fields trailers) {
            if (context != null && chunked) {
                ByteBuf out = context.alloc().ioBuffer(Http1Encoder.estimate(trailers));
                Http1Encoder.lastChunk(trailers, out);
                write(out);
            }
            responseDone = true;
            finish();
        }

        @Override
        public void reset(Reset reset) {
            if (current == this && !(requestDone && responseDone) && context != null) {
                current = null;
                responseDone = true;
                if (responseStarted && !chunked && remaining < 0 && !tunnel) {
                    // The end of the connection would look like the end of the answer.
                    context.channel().config().setOption(ChannelOption.SO_LINGER, 0);
                }
                context.flush();
                close();
            }
        }

        @Override
        public void consumed(int bytes) {
            unconsumed -= bytes;
            if (current == this && !decoding) {
                steerReads();
            }
        }

        private void wrote(int bytes) {
            if (listener != null && bytes > 0) {
                undrained += bytes;
                if (context != null && context.channel().isWritable()) {
                    drained();
                }
            }
        }

        private void drained() {
            int bytes = undrained;
            undrained = 0;
            if (listener != null && bytes > 0) {
                listener.onDrained(bytes);
            }
        }

        /** Goes on to the next request once this one is answered. */
        private void finish() {
            if (current != this || !responseDone || listener == null) {
                return;
            }
            if (!requestDone) {
                current = null;
                if (tunnel) {
                    flushAndClose();
                } else {
                    linger();
                }
            } else if (!keepAlive || draining) {
                current = null;
                flushAndClose();
            } else {
                current = null;
                decoder.expectHead();
                moved = System.nanoTime();
                decode();
            }
        }
    }
}
