package dev.tulle.proxy.http;

import dev.tulle.proxy.bootstrap.Limits;
import dev.tulle.proxy.http.Http1Decoder.Step;
import dev.tulle.proxy.http.Http1Heads.Framing;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.ssl.SslCloseCompletionEvent;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The client's side of one HTTP/1.1 connection: one request at a time, used again only when request and answer ended cleanly and no
 * byte is left over.
 */
public final class Http1ClientConnection extends ChannelInboundHandlerAdapter implements HttpConnection, Sweeper.Swept {
    /** Informational answers that one request may get. */
    private static final int MAX_INFORMATIONAL = 16;

    private final ConnectionOwner owner;
    private final Limits limits;
    private final boolean secure;
    private final Http1Decoder decoder;
    private @Nullable ChannelHandlerContext context;
    private @Nullable Flusher flusher;
    private @Nullable ByteBuf held;
    private @Nullable Exchange current;
    private boolean decoding;
    private boolean unusable;
    private boolean closing;
    private long requests;
    private long moved = System.nanoTime();

    /** @param secure whether the end of the connection alone may not end an answer, for anyone on the way could have made it */
    public Http1ClientConnection(ConnectionOwner owner, Limits limits, boolean secure) {
        this.owner = owner;
        this.limits = limits;
        this.secure = secure;
        this.decoder = new Http1Decoder(limits.http());
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        context = ctx;
        flusher = new Flusher(ctx);
        Sweeper.of(ctx.channel().eventLoop()).add(this);
    }

    @Override
    public ClientStream open(RequestHead head, boolean end, ResponseListener listener) {
        ChannelHandlerContext ctx = context;
        if (ctx == null || !hasRoom()) {
            throw new IllegalStateException("a request was opened on a connection without room");
        }
        Exchange exchange = new Exchange(head, end, listener);
        current = exchange;
        requests++;
        moved = System.nanoTime();
        decoder.expectHead();
        ByteBuf out = ctx.alloc()
                .ioBuffer(Http1Encoder.estimate(head.fields()) + head.target().length());
        Http1Encoder.request(head, end, out);
        write(out);
        return exchange;
    }

    @Override
    public boolean hasRoom() {
        return current == null
                && !unusable
                && context != null
                && context.channel().isActive();
    }

    @Override
    public boolean isIdle() {
        return current == null;
    }

    @Override
    public void drain() {
        markUnusable();
        if (current == null) {
            close();
        }
    }

    @Override
    public void close() {
        closing = true;
        markUnusable();
        if (context != null) {
            context.close();
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ByteBuf in = (ByteBuf) message;
        Exchange exchange = current;
        if (exchange == null || closing) {
            in.release();
            close();
            return;
        }
        moved = System.nanoTime();
        exchange.answered = true;
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
        if (event instanceof ChannelInputShutdownEvent || event instanceof SslCloseCompletionEvent) {
            inputEnded();
        }
        ctx.fireUserEventTriggered(event);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        inputEnded();
        Sweeper.of(ctx.channel().eventLoop()).remove(this);
        ctx.fireChannelInactive();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        failed(Reset.LOST);
    }

    @Override
    public void sweep(long now) {
        long still = TimeUnit.NANOSECONDS.toMillis(now - moved);
        if (current == null) {
            if (still > limits.connections().poolIdleTimeout().toMillis()) {
                close();
            }
        } else if (still > limits.connections().idleTimeout().toMillis()) {
            failed(Reset.IDLE);
        }
    }

    private void inputEnded() {
        Exchange exchange = current;
        if (exchange != null && decoder.untilClose() && (exchange.tunnel || !secure)) {
            current = null;
            exchange.listener.onData(Unpooled.EMPTY_BUFFER, true);
            close();
        } else {
            failed(exchange != null && !exchange.answered && requests > 1 ? Reset.STALE : Reset.LOST);
        }
        if (held != null && !decoding) {
            held.release();
            held = null;
        }
    }

    private void decode() {
        if (decoding) {
            return;
        }
        decoding = true;
        try {
            while (current != null && held != null && held.isReadable()) {
                Step step = decoder.next(held, this::data);
                if (step == Step.MORE) {
                    break;
                }
                if (step == Step.HEAD) {
                    response();
                } else if (step == Step.END) {
                    end(decoder.trailers());
                }
            }
            if (current == null && held != null && held.isReadable()) {
                close();
            }
        } catch (MalformedMessage e) {
            failed(Reset.MALFORMED);
        } finally {
            decoding = false;
            if (held != null && (closing || current == null || !held.isReadable())) {
                held.release();
                held = null;
            }
            steerReads();
        }
    }

    private void response() throws MalformedMessage {
        Exchange exchange = current;
        if (exchange == null) {
            return;
        }
        Http1Heads.Response response = Http1Heads.response(
                decoder.scratch(),
                decoder.headLength(),
                limits.http().maxHeaderFields(),
                exchange.head.method(),
                exchange.head.websocket());
        ResponseHead head = response.head();
        if (head.status() < 200 && head.status() != 101) {
            if (++exchange.informational > MAX_INFORMATIONAL) {
                throw MalformedMessage.badRequest("too many informational answers");
            }
            decoder.expectHead();
            exchange.listener.onInform(head);
            return;
        }
        exchange.tunnel = head.status() == 101;
        // An application that sends the body all the same would send it as somebody's next answer; a proxy of ours
        // never does.
        exchange.reusable = response.keepAlive() && (secure || !response.namesAbsentBody());
        decoder.body(response.framing(), head.length());
        boolean end = response.framing() == Framing.NONE;
        if (end) {
            exchange.responseDone = true;
        }
        exchange.listener.onResponse(head, end);
        exchange.finish();
    }

    private void data(ByteBuf data, boolean last) {
        Exchange exchange = current;
        if (exchange == null) {
            data.release();
            return;
        }
        exchange.unconsumed += data.readableBytes();
        if (last) {
            exchange.responseDone = true;
        }
        exchange.listener.onData(data, last);
        exchange.finish();
    }

    private void end(Fields trailers) {
        Exchange exchange = current;
        if (exchange == null) {
            return;
        }
        exchange.responseDone = true;
        if (trailers.size() == 0) {
            exchange.listener.onData(Unpooled.EMPTY_BUFFER, true);
        } else {
            exchange.listener.onTrailers(trailers);
        }
        exchange.finish();
    }

    private void failed(Reset reset) {
        Exchange exchange = current;
        current = null;
        close();
        if (exchange != null && !exchange.responseDone) {
            exchange.responseDone = true;
            exchange.listener.onReset(reset);
        }
    }

    private void markUnusable() {
        if (!unusable) {
            unusable = true;
            owner.onUnusable(this);
        }
    }

    private void write(ByteBuf out) {
        if (context == null || flusher == null || closing) {
            out.release();
            return;
        }
        context.write(out, context.voidPromise());
        flusher.soon();
    }

    private void steerReads() {
        ChannelHandlerContext ctx = context;
        Exchange exchange = current;
        if (ctx == null || closing) {
            return;
        }
        boolean wanted =
                exchange == null || exchange.unconsumed < limits.connections().bufferPerStreamBytes();
        if (ctx.channel().config().isAutoRead() != wanted) {
            ctx.channel().config().setAutoRead(wanted);
        }
    }

    /** One request and its answer. */
    private final class Exchange implements ClientStream {
        private final RequestHead head;
        private final ResponseListener listener;
        private final boolean chunked;
        private boolean requestDone;
        private boolean responseDone;
        private boolean answered;
        private boolean reusable;
        private boolean tunnel;
        private int informational;
        private long remaining;
        private int unconsumed;
        private int undrained;

        Exchange(RequestHead head, boolean end, ResponseListener listener) {
            this.head = head;
            this.listener = listener;
            this.chunked = Http1Encoder.isChunked(head, end);
            this.requestDone = end;
            this.remaining = end ? 0 : head.length();
        }

        @Override
        public void data(ByteBuf data, boolean end) {
            if (current != this || (requestDone && !tunnel) || context == null) {
                data.release();
                return;
            }
            moved = System.nanoTime();
            int length = data.readableBytes();
            if (tunnel) {
                write(data);
                wrote(length);
                if (end) {
                    current = null;
                    markUnusable();
                    context.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
                }
                return;
            }
            if (!chunked && (length > remaining || (end && length < remaining))) {
                data.release();
                reset(Reset.MALFORMED);
                return;
            }
            remaining -= length;
            if (length == 0) {
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
            if (current != this || requestDone) {
                return;
            }
            if (!chunked && remaining > 0) {
                reset(Reset.MALFORMED);
                return;
            }
            endMessage(head.takesTrailers() ? trailers : Fields.EMPTY);
        }

        private void endMessage(Fields trailers) {
            if (chunked && context != null) {
                ByteBuf out = context.alloc().ioBuffer(Http1Encoder.estimate(trailers));
                Http1Encoder.lastChunk(trailers, out);
                write(out);
            }
            requestDone = true;
            finish();
        }

        @Override
        public void reset(Reset reset) {
            if (current == this) {
                current = null;
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
            undrained += bytes;
            if (context != null && context.channel().isWritable()) {
                drained();
            }
        }

        private void drained() {
            int bytes = undrained;
            undrained = 0;
            if (bytes > 0) {
                listener.onDrained(bytes);
            }
        }

        /** Gives the connection back once both messages are over; an answer before the end of the request ends the upload. */
        private void finish() {
            if (current != this || !responseDone) {
                return;
            }
            current = null;
            moved = System.nanoTime();
            if (!requestDone || !reusable || unusable || (held != null && held.isReadable())) {
                close();
            } else {
                owner.onRoom(Http1ClientConnection.this);
            }
        }
    }
}
