package dev.tulle.proxy.http;

import static dev.tulle.proxy.http.Http2Wire.*;

import dev.tulle.proxy.bootstrap.Limits;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.collection.IntObjectHashMap;
import io.netty.util.collection.IntObjectMap;
import io.netty.util.concurrent.FastThreadLocal;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What both sides of an HTTP/2 connection have in common: streams, windows and their limits.
 *
 * <p>Receiving: the window of the connection is opened as bytes come, that of a stream as the other leg has written them on; so a
 * stream that nobody reads stops itself and no other. What all streams together may hold is bounded by the sum of their windows,
 * which are small until a stream is seen to be read. Sending: DATA waits in its stream while a window or the socket is full, and
 * streams then take turns. Everything written in one round of the event loop leaves by one flush. A stream error resets the stream
 * with that error's code. Source: RFC 9113.
 */
abstract class Http2Peer extends ChannelInboundHandlerAdapter implements Sweeper.Swept {
    /** No more is read while the peer leaves this much of what it was told unread. */
    private static final int MAX_UNREAD_BYTES = 512 * 1024;

    /** How long what a peer still sends is read and thrown away behind a GOAWAY, for a reset could undo it. */
    private static final long LINGER_MILLIS = 500;

    private static final FastThreadLocal<LoopHeld> LOOP_HELD = new FastThreadLocal<>() {
        @Override
        protected LoopHeld initialValue() {
            return new LoopHeld();
        }
    };

    private final boolean server;
    private final Limits limits;
    private final Consumer<String> limitHits;
    private final Http2FrameReader reader;
    private final HpackDecoder decoder;
    private final HpackEncoder encoder = new HpackEncoder();
    private final Http2Floods floods;
    private final Http2Ended ended = new Http2Ended();
    private final IntObjectMap<Stream> streams = new IntObjectHashMap<>();
    private final Queue<Stream> turns = new ArrayDeque<>();
    private @Nullable ChannelHandlerContext context;
    private @Nullable Http2Output output;
    private @Nullable Flusher flusher;
    private @Nullable Stream receiving;
    private boolean receivingEnd;
    private boolean closing;
    private boolean paused;
    private boolean flooded;

    /** Whether anything of a stream moved since the last sweep. */
    private boolean moved = true;

    private long movedNanos = System.nanoTime();

    /** When the frame that is under way was first seen unfinished by a sweep; 0 for none. */
    private long insideSince;

    private int lastRemote;
    private int lastLocal;
    private int goAwaySent = -1;
    private int goAwayReceived = -1;

    private boolean settingsCame;
    private long maxRemoteStreams = Long.MAX_VALUE;
    private int initialSendWindow = DEFAULT_WINDOW;
    private int sendWindow = DEFAULT_WINDOW;

    /** Windows of new streams that the peer was told, the last first of which it has not acknowledged; the last one we meant. */
    private final Queue<Integer> toldWindows = new ArrayDeque<>(2);

    private int meantWindow;
    private boolean settingsAcknowledged;
    private int initialReceiveWindow = DEFAULT_WINDOW;
    private int receiveWindow = DEFAULT_WINDOW;

    /** Bytes of all streams that came and were not yet passed on. */
    private int held;

    private LoopHeld loopHeld = new LoopHeld();

    /** When the connection begins to end, for its certificates do. */
    private long drainNanos;

    private boolean certificateEnded;

    /** What all streams hold or may still send by their windows. */
    private long granted;

    /** Bytes that all connections of one loop hold. */
    private static final class LoopHeld {
        private long bytes;
    }

    /** @param limitHits is told the name of a limit whenever it bites */
    Http2Peer(boolean server, Limits limits, Consumer<String> limitHits) {
        this.server = server;
        this.limits = limits;
        this.limitHits = limitHits;
        this.floods = new Http2Floods(server, limits.http2());
        // An answer that came by HTTP/1.1 is bounded without the overhead that HTTP/2 counts.
        int overhead = server ? 0 : limits.http().maxHeaderFields() * HpackField.OVERHEAD;
        this.decoder = new HpackDecoder(
                limits.http().maxHeaderBytes() + overhead, limits.http().maxHeaderFieldBytes());
        this.reader = new Http2FrameReader(
                new Incoming(),
                server,
                limits.http2().maxContinuationFrames(),
                2 * limits.http().maxHeaderBytes());
    }

    final Limits limits() {
        return limits;
    }

    final @Nullable ChannelHandlerContext context() {
        return context;
    }

    final int activeStreams() {
        return streams.size();
    }

    final HpackDecoder block() {
        return decoder;
    }

    /** Whether no stream may be opened any more. */
    final boolean isClosing() {
        return closing || goAwaySent >= 0 || goAwayReceived >= 0;
    }

    /** The last stream that the peer says it has seen; -1 unless it said so. */
    final int goAwayReceived() {
        return goAwayReceived;
    }

    final int lastRemote() {
        return lastRemote;
    }

    final int lastLocal() {
        return lastLocal;
    }

    /** How many streams the peer takes; {@code unknown} before it has told. */
    final long maxRemoteStreams(int unknown) {
        return settingsCame ? maxRemoteStreams : unknown;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        context = ctx;
        Http2Output out = new Http2Output(ctx);
        output = out;
        flusher = new Flusher(ctx, this::flush);
        loopHeld = LOOP_HELD.get();
        drainNanos = CertificateEnd.drainNanos(
                ctx.pipeline(), limits.connections().drainTimeout().toMillis());
        meantWindow = limits.http2().initialStreamWindowBytes();
        toldWindows.add(meantWindow);
        if (server) {
            out.settings(
                    MAX_CONCURRENT_STREAMS,
                    limits.http2().maxConcurrentStreams(),
                    INITIAL_WINDOW_SIZE,
                    meantWindow,
                    MAX_HEADER_LIST_SIZE,
                    limits.http().maxHeaderBytes());
        } else {
            out.raw(PREFACE);
            out.settings(
                    ENABLE_PUSH,
                    0,
                    INITIAL_WINDOW_SIZE,
                    meantWindow,
                    MAX_HEADER_LIST_SIZE,
                    limits.http().maxHeaderBytes());
        }
        Sweeper.of(ctx.channel().eventLoop()).add(this);
        flushSoon();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        end(ctx);
        ctx.fireChannelInactive();
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        end(ctx);
    }

    private void end(ChannelHandlerContext ctx) {
        if (context == null) {
            return;
        }
        Sweeper.of(ctx.channel().eventLoop()).remove(this);
        closing = true;
        endStreams();
        context = null;
        if (output != null) {
            output.close();
        }
        gone();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ByteBuf in = (ByteBuf) message;
        try {
            while (!closing && in.isReadable()) {
                try {
                    reader.read(in);
                } catch (Http2Violation e) {
                    violated(e);
                }
            }
        } finally {
            in.release();
        }
        if (!reader.isInsideFrame()) {
            insideSince = 0;
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        if (ctx.channel().isWritable()) {
            takeTurns();
            if (paused) {
                paused = false;
                ctx.channel().config().setAutoRead(true);
            }
        }
        ctx.fireChannelWritabilityChanged();
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof ChannelInputShutdownEvent) {
            // Without the peer's WINDOW_UPDATE frames nothing can go on.
            ctx.close();
        }
        ctx.fireUserEventTriggered(event);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        fail(INTERNAL_ERROR);
    }

    @Override
    public void sweep(long now) {
        if (moved) {
            moved = false;
            movedNanos = now;
        }
        if (reader.isInsideFrame()) {
            insideSince = insideSince == 0 ? now : insideSince;
            if (now - insideSince > limits.connections().headerTimeout().toNanos()) {
                limitHits.accept("header_timeout");
                fail(ENHANCE_YOUR_CALM);
                return;
            }
        }
        if (now - drainNanos > 0 && !certificateEnded) {
            certificateEnded = true;
            drain();
        }
        int window = windowFor(2 * streams.size());
        if (window > meantWindow && toldWindows.isEmpty()) {
            tellWindow(window);
            useWindow(window);
        }
        if (streams.isEmpty()) {
            sweepIdle(TimeUnit.NANOSECONDS.toMillis(now - movedNanos));
            return;
        }
        long idle = limits.connections().idleTimeout().toNanos();
        for (Stream stream : all()) {
            if (stream.moved) {
                stream.moved = false;
                stream.movedNanos = now;
            } else if (now - stream.movedNanos > idle) {
                stream.failure = Reset.IDLE;
                stream.giveUp(CANCEL);
            }
        }
    }

    /** Takes nothing new; closes once what is under way has ended. */
    public abstract void drain();

    /** No stream is under way for so long. */
    abstract void sweepIdle(long millis);

    /** The block holds the headers of a new stream. */
    abstract void opened(int id, boolean end);

    /** A stream has ended; there may be room for another. */
    abstract void streamEnded();

    /** The connection has ended. */
    abstract void gone();

    /** The peer's settings or its GOAWAY came. */
    abstract void peerChanged();

    /** Why a stream is gone that nobody reset. */
    Reset lost(int id) {
        return Reset.LOST;
    }

    private void violated(Http2Violation violation) {
        if (!violation.limit().isEmpty()) {
            limitHits.accept(violation.limit());
        }
        int id = violation.stream();
        if (id == 0 || isIdle(id)) {
            fail(violation.code());
            return;
        }
        Stream stream = streams.get(id);
        if (stream == null) {
            sendReset(id, violation.code());
        } else {
            stream.failure = Reset.MALFORMED;
            stream.giveUp(violation.code());
        }
    }

    /** Tells the peer that the connection is over, and why; ends every stream and then the connection. */
    final void fail(int code) {
        ChannelHandlerContext ctx = context;
        Http2Output out = output;
        if (closing || ctx == null || out == null) {
            return;
        }
        out.goAway(lastRemote, code);
        closing = true;
        endStreams();
        flush();
        SslHandler tls = ctx.pipeline().get(SslHandler.class);
        if (tls != null) {
            tls.closeOutbound();
        } else if (ctx.channel() instanceof DuplexChannel duplex) {
            duplex.shutdownOutput();
        }
        ctx.channel().config().setAutoRead(true);
        ctx.executor().schedule(() -> ctx.close(), LINGER_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** Tells the peer to open no stream beyond {@code lastStream}. */
    final void goAway(int lastStream) {
        if (output != null && !closing) {
            goAwaySent = lastStream;
            output.goAway(lastStream, NO_ERROR);
            flushSoon();
        }
    }

    /** Says good-bye, where the peer has not heard it, and closes. */
    final void closeNow() {
        ChannelHandlerContext ctx = context;
        if (ctx == null) {
            return;
        }
        if (output != null && !closing) {
            if (goAwaySent < 0 && ctx.channel().isActive()) {
                output.goAway(lastRemote, NO_ERROR);
            }
            closing = true;
            endStreams();
            flush();
        }
        ctx.close();
    }

    /** Closes once everything written has left. */
    final void closeWritten() {
        ChannelHandlerContext ctx = context;
        if (ctx == null || output == null || closing) {
            return;
        }
        if (goAwaySent < 0) {
            output.goAway(lastRemote, NO_ERROR);
        }
        closing = true;
        endStreams();
        flush();
        ctx.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
    }

    private void endStreams() {
        for (Stream stream : all()) {
            stream.closed();
        }
    }

    private List<Stream> all() {
        return new ArrayList<>(streams.values());
    }

    /** Whether a stream has not been opened yet, by whoever might. */
    private boolean isIdle(int id) {
        // Only clients open streams, with odd numbers.
        return (id & 1) == 0 || id > (server ? lastRemote : lastLocal);
    }

    private void sendReset(int id, int code) {
        if (output == null || closing) {
            return;
        }
        output.reset(id, code);
        ended.reset(id);
        flushSoon();
        if (code != NO_ERROR && !flooded && floods.isTooManyResets() && context != null) {
            flooded = true;
            limitHits.accept("max_resets");
            context.executor().execute(() -> fail(ENHANCE_YOUR_CALM));
        }
    }

    final void flushSoon() {
        if (flusher != null) {
            flusher.soon();
        }
    }

    private void flush() {
        ChannelHandlerContext ctx = context;
        if (ctx == null || output == null) {
            return;
        }
        output.flush();
        if (!ctx.channel().isWritable() && !paused && !closing && unread(ctx) > MAX_UNREAD_BYTES) {
            paused = true;
            ctx.channel().config().setAutoRead(false);
        }
    }

    private static long unread(ChannelHandlerContext ctx) {
        var buffer = ctx.channel().unsafe().outboundBuffer();
        return buffer == null ? 0 : buffer.totalPendingWriteBytes();
    }

    /** Opens the connection's window again: at once, or before the peer knows our settings by what was passed on. */
    private void openConnection() {
        int whole = settingsAcknowledged ? limits.http2().connectionWindowBytes() : DEFAULT_WINDOW - held;
        int missing = whole - receiveWindow;
        if (missing >= whole / 2 && missing > 0 && output != null && !closing) {
            receiveWindow += missing;
            output.windowUpdate(0, missing);
            flushSoon();
        }
    }

    /**
     * How large a window so many streams may begin with: together they get no more than half of what the connection may hold, so that
     * the other half is left for those that are read.
     */
    private int windowFor(int count) {
        Limits.Http2 http2 = limits.http2();
        int most = http2.connectionWindowBytes() / 2;
        int window = http2.initialStreamWindowBytes();
        return count * window <= most
                ? window
                : count * (window / 4) <= most ? window / 4 : http2.crowdedStreamWindowBytes();
    }

    private void tellWindow(int window) {
        if (output != null && !closing) {
            meantWindow = window;
            toldWindows.add(window);
            output.settings(INITIAL_WINDOW_SIZE, window);
            flushSoon();
        }
    }

    /** The peer knows our settings. */
    private void settingsAcknowledged() {
        Integer window = toldWindows.poll();
        if (window != null) {
            settingsAcknowledged = true;
            useWindow(window);
            openConnection();
        }
    }

    /** Holds the peer to the window with which streams begin: to a smaller one once it knows it, to a larger one at once. */
    private void useWindow(int window) {
        int change = window - initialReceiveWindow;
        if (change == 0) {
            return;
        }
        initialReceiveWindow = window;
        for (Stream stream : streams.values()) {
            stream.receiveWindow += change;
            granted += change;
            stream.openStream();
        }
    }

    /** Lets streams send what waits, a frame each in turn. */
    private void takeTurns() {
        while (sendWindow > 0 && context != null && context.channel().isWritable()) {
            Stream stream = turns.poll();
            if (stream == null) {
                return;
            }
            stream.inTurn = false;
            stream.sendWaiting(MAX_PAYLOAD);
        }
    }

    /** The id of the next stream that we open. */
    final int nextStream() {
        lastLocal = lastLocal == 0 ? 1 : lastLocal + 2;
        return lastLocal;
    }

    /** What every stream does, on either side. */
    abstract class Stream implements StreamEnd {
        private final int id;
        private @Nullable StreamListener listener;
        private @Nullable WaitingBytes waiting;
        private @Nullable Fields waitingTrailers;
        private @Nullable Reset failure;

        /** Whether our message was given to its end; it may still wait. */
        private boolean endGiven;

        private boolean sentEnd;
        private boolean receivedEnd;
        private boolean over;
        private boolean closed;
        private boolean inTurn;
        private boolean moved = true;
        private long movedNanos = Http2Peer.this.movedNanos;
        private int sendWindow = initialSendWindow;
        private int receiveWindow = initialReceiveWindow;

        /** How much larger the window is than at first. */
        private int grown;

        /** Bytes that came, or are still to come of the frame that is under way, and were not yet passed on. */
        private int held;

        /** Bytes of the peer's body that are still to come, or {@link RequestHead#UNKNOWN}. */
        private long expected = RequestHead.UNKNOWN;

        Stream(int id) {
            this.id = id;
            streams.put(id, this);
            granted += receiveWindow;
            int window = windowFor(streams.size());
            if (window < meantWindow) {
                tellWindow(window);
            }
        }

        /** The block holds headers behind the first ones. */
        abstract void moreHeaders(boolean end) throws MalformedMessage;

        /** Whether DATA may come now. */
        abstract boolean takesData();

        /** Whether the end of our message makes what the peer still sends pointless. */
        abstract boolean stopsPeerAtEnd();

        final void listener(StreamListener hears) {
            listener = hears;
        }

        final boolean isOver() {
            return over || endGiven;
        }

        final void receivedEnd() {
            receivedEnd = true;
        }

        /** So many bytes of the body are to come. */
        final void expect(long length) {
            expected = length;
        }

        final void trailersReceived(Fields trailers) throws MalformedMessage {
            if (expected > 0) {
                throw MalformedMessage.badRequest("a body that is shorter than its Content-Length");
            }
            if (!over && listener != null) {
                if (trailers.size() == 0) {
                    listener.onData(Unpooled.EMPTY_BUFFER, true);
                } else {
                    listener.onTrailers(trailers);
                }
            }
        }

        final void writeHead(RequestHead head, boolean end) {
            Http2Heads.write(head, encoder);
            writeBlock(end);
        }

        final void writeHead(ResponseHead head, boolean end) {
            Http2Heads.write(head, encoder);
            writeBlock(end);
        }

        private void writeBlock(boolean end) {
            if (output == null || closing) {
                return;
            }
            output.headers(id, encoder, end);
            messageSent();
            flushSoon();
            if (end) {
                endGiven = true;
                endSent();
            }
        }

        private void messageSent() {
            moved = true;
            Http2Peer.this.moved = true;
            floods.message();
        }

        @Override
        public void data(ByteBuf data, boolean end) {
            if (isOver() || output == null || closing) {
                data.release();
                return;
            }
            endGiven = end;
            int length = data.readableBytes();
            if (waiting != null || (length > 0 && !turns.isEmpty())) {
                keep(data);
                askForTurn();
            } else if (length == 0 && !end) {
                data.release();
            } else {
                int sent = length;
                if (length == 0) {
                    output.data(id, data, 0, true);
                } else {
                    sent = push(output, data, length, end);
                }
                if (sent < length) {
                    keep(data);
                    askForTurn();
                } else {
                    messageSent();
                    if (end) {
                        endSent();
                    }
                }
                drained(sent);
            }
            flushSoon();
        }

        @Override
        public void trailers(Fields trailers) {
            if (isOver()) {
                return;
            }
            if (trailers.size() == 0) {
                data(Unpooled.EMPTY_BUFFER, true);
            } else if (waiting != null) {
                endGiven = true;
                waitingTrailers = trailers;
            } else {
                Http2Heads.write(trailers, encoder);
                writeBlock(true);
            }
        }

        private void drained(int bytes) {
            if (bytes > 0 && listener != null) {
                listener.onDrained(bytes);
            }
        }

        /** Writes frames of DATA as far as the windows and the socket allow; all of {@code data} is given over, a part is not. */
        private int push(Http2Output out, ByteBuf data, int most, boolean end) {
            int length = data.readableBytes();
            int allowed = Math.min(Math.min(sendWindow, Http2Peer.this.sendWindow), Math.min(length, most));
            int sent = 0;
            while (sent < allowed && context != null && context.channel().isWritable()) {
                int count = Math.min(allowed - sent, out.dataRoom());
                sent += count;
                out.data(id, data, count, end && sent == length);
            }
            sendWindow -= sent;
            Http2Peer.this.sendWindow -= sent;
            return sent;
        }

        private void keep(ByteBuf data) {
            if (waiting == null) {
                waiting = new WaitingBytes(0);
            }
            waiting.add(data);
        }

        private void askForTurn() {
            if (waiting != null && !inTurn && sendWindow > 0) {
                inTurn = true;
                turns.add(this);
            }
        }

        /** Sends of what waits about {@code most} bytes, as far as it may. */
        private void sendWaiting(int most) {
            Http2Output out = output;
            if (out == null) {
                return;
            }
            int sent = 0;
            boolean stuck = false;
            while (waiting != null && sent < most && !stuck) {
                ByteBuf first = waiting.first();
                boolean alone = waiting.isOnePiece();
                int length = first.readableBytes();
                int count = push(out, first, most - sent, alone && endGiven && waitingTrailers == null);
                sent += count;
                stuck = count < length;
                if (!stuck) {
                    waiting.remove();
                    if (alone) {
                        waiting = null;
                    }
                }
            }
            if (sent > 0) {
                messageSent();
                flushSoon();
            }
            if (waiting != null) {
                askForTurn();
            } else if (waitingTrailers != null) {
                Http2Heads.write(waitingTrailers, encoder);
                waitingTrailers = null;
                writeBlock(true);
            } else if (endGiven && !closed) {
                endSent();
            }
            drained(sent);
        }

        /** Our message has been written to its end; the rest of the peer's may not be needed. */
        private void endSent() {
            sentEnd = true;
            if (receivedEnd) {
                closed();
            } else if (stopsPeerAtEnd()) {
                failure = Reset.NOT_NEEDED;
                giveUp(NO_ERROR);
            }
        }

        @Override
        public void reset(Reset reset) {
            if (!over) {
                over = true;
                giveUp((int) reset.code());
            }
        }

        final void giveUp(int code) {
            if (!closed) {
                sendReset(id, code);
                closed();
            }
        }

        @Override
        public void consumed(int bytes) {
            if (bytes > 0 && !closed) {
                held -= bytes;
                hold(-bytes);
                granted -= bytes;
                openStream();
                if (!settingsAcknowledged) {
                    openConnection();
                }
            }
        }

        /** Opens the stream's window again once half of it is free, and makes it larger while there is room. */
        private void openStream() {
            int whole = initialReceiveWindow + grown;
            int free = whole - held - receiveWindow;
            if (receivedEnd || free < whole / 2 || output == null || closing) {
                return;
            }
            Limits.Http2 http2 = limits.http2();
            int others = Math.max(0, http2.maxConcurrentStreams() - streams.size());
            int more = (int) Math.min(
                    http2.initialStreamWindowBytes() - whole,
                    http2.connectionWindowBytes()
                            - (granted + free + (long) others * http2.crowdedStreamWindowBytes()));
            if (more > 0) {
                grown += more;
                free += more;
            }
            granted += free;
            receiveWindow += free;
            output.windowUpdate(id, free);
            flushSoon();
        }

        private void received(ByteBuf data, boolean end) {
            moved = true;
            receivedEnd |= end;
            int length = data.readableBytes();
            if (over || listener == null) {
                data.release();
                consumed(length);
            } else if (length == 0 && !end) {
                data.release();
            } else {
                listener.onData(data, end);
            }
            if (end) {
                ended();
            }
        }

        /** The peer's message was heard to its end. */
        private void ended() {
            if (sentEnd) {
                closed();
            }
        }

        /** The stream is over on both sides. */
        private void closed() {
            if (closed) {
                return;
            }
            closed = true;
            streams.remove(id);
            ended.ended(id);
            hold(-held);
            granted -= held + receiveWindow;
            if (waiting != null) {
                waiting.release();
                waiting = null;
            }
            waitingTrailers = null;
            boolean clean = sentEnd && receivedEnd;
            if (clean && failure == null) {
                floods.endedWell();
            }
            if (!over) {
                over = true;
                if (!clean && listener != null) {
                    listener.onReset(failure != null ? failure : lost(id));
                }
            }
            streamEnded();
        }
    }

    private void hold(int bytes) {
        held += bytes;
        loopHeld.bytes += bytes;
    }

    /** More is held than may be: the stream that holds most is given up. */
    private void giveUpFattest(String limit) {
        limitHits.accept(limit);
        Stream fattest = null;
        for (Stream stream : streams.values()) {
            if (fattest == null || stream.held > fattest.held) {
                fattest = stream;
            }
        }
        if (fattest != null) {
            fattest.failure = Reset.OVERFLOW;
            fattest.giveUp((int) Reset.OVERFLOW.code());
        }
    }

    /** Hears the frames. */
    private final class Incoming implements Http2FrameReader.Frames {
        @Override
        public void data(int id, int size, int content, boolean end) throws Http2Violation {
            moved = true;
            floods.data(content == 0 && !end);
            receiveWindow -= size;
            if (receiveWindow < 0) {
                throw Http2Violation.ofConnection(FLOW_CONTROL_ERROR, "more data than the connection's window");
            }
            receiving = streams.get(id);
            receivingEnd = end;
            try {
                taken(receiving, id, size, content, end);
            } finally {
                openConnection();
            }
        }

        private void taken(@Nullable Stream stream, int id, int size, int content, boolean end) throws Http2Violation {
            if (stream == null) {
                if (isIdle(id)) {
                    throw Http2Violation.ofConnection(PROTOCOL_ERROR, "data of a stream that was not opened");
                }
                if (!ended.wasReset(id) && !isIgnored(id)) {
                    throw Http2Violation.ofStream(id, STREAM_CLOSED, "data of a stream that has ended");
                }
                return;
            }
            if (stream.receivedEnd) {
                throw Http2Violation.ofStream(id, STREAM_CLOSED, "data behind the end of a message");
            }
            if (!stream.takesData()) {
                throw Http2Violation.ofStream(id, PROTOCOL_ERROR, "data before the head of a message");
            }
            stream.receiveWindow -= size;
            granted -= size;
            if (stream.receiveWindow < 0) {
                throw Http2Violation.ofStream(id, FLOW_CONTROL_ERROR, "more data than the stream's window");
            }
            if (stream.expected >= 0) {
                stream.expected -= content;
                if (stream.expected < 0 || (end && stream.expected > 0)) {
                    throw Http2Violation.ofStream(id, PROTOCOL_ERROR, "a body that is not as long as it says");
                }
            }
            stream.held += content;
            hold(content);
            granted += content;
        }

        @Override
        public void content(ByteBuf piece, boolean last) {
            Stream stream = receiving;
            if (stream == null || stream.closed) {
                piece.release();
                return;
            }
            if (last) {
                receiving = null;
            }
            stream.received(piece, last && receivingEnd);
            if (held > limits.http2().connectionWindowBytes()) {
                giveUpFattest("connection_window_bytes");
            } else if (loopHeld.bytes > limits.http2().maxHeldBytes()) {
                giveUpFattest("max_held_bytes");
            }
        }

        @Override
        public void headers(int id, byte[] bytes, int from, int to, boolean end) throws Http2Violation {
            moved = true;
            floods.message();
            decoder.decode(bytes, from, to);
            Stream stream = streams.get(id);
            if (stream != null) {
                more(stream, id, end);
            } else if (server) {
                first(id, end);
            } else if (isIdle(id)) {
                throw Http2Violation.ofConnection(PROTOCOL_ERROR, "headers of a stream that was not opened");
            } else if (!ended.wasReset(id)) {
                throw Http2Violation.ofStream(id, STREAM_CLOSED, "headers of a stream that has ended");
            }
        }

        private void more(Stream stream, int id, boolean end) throws Http2Violation {
            if (stream.receivedEnd) {
                throw Http2Violation.ofStream(id, STREAM_CLOSED, "headers behind the end of a message");
            }
            stream.moved = true;
            stream.receivedEnd = end;
            try {
                stream.moreHeaders(end);
            } catch (MalformedMessage e) {
                stream.receivedEnd = false;
                throw Http2Violation.ofStream(id, PROTOCOL_ERROR, e.detail());
            }
            if (end) {
                stream.ended();
            }
        }

        private void first(int id, boolean end) throws Http2Violation {
            if ((id & 1) == 0) {
                throw Http2Violation.ofConnection(PROTOCOL_ERROR, "a stream of a client with an even number");
            }
            if (id <= lastRemote) {
                if (ended.wasReset(id) || isIgnored(id)) {
                    return;
                }
                throw Http2Violation.ofConnection(
                        ended.hasEnded(id) ? STREAM_CLOSED : PROTOCOL_ERROR, "headers of a stream that has ended");
            }
            lastRemote = id;
            if (isIgnored(id)) {
                return;
            }
            if (streams.size() >= limits.http2().maxConcurrentStreams()) {
                throw Http2Violation.tooManyStreams(id);
            }
            opened(id, end);
        }

        /** Whether a stream was opened behind our last GOAWAY. */
        private boolean isIgnored(int id) {
            return server && goAwaySent >= 0 && id > goAwaySent;
        }

        @Override
        public void reset(int id, int code) throws Http2Violation {
            if (isIdle(id)) {
                throw Http2Violation.ofConnection(PROTOCOL_ERROR, "a reset of a stream that was not opened");
            }
            Stream stream = streams.get(id);
            if (stream != null) {
                // One for a stream that we have answered in full already saves work; those cost the peer more than us.
                if (!stream.sentEnd) {
                    floods.resetRead();
                }
                stream.failure = code == REFUSED_STREAM ? Reset.UNPROCESSED : Reset.byPeer(code & 0xffff_ffffL);
                stream.closed();
            }
        }

        @Override
        public void setting(int id, long value) throws Http2Violation {
            switch (id) {
                case HEADER_TABLE_SIZE -> encoder.limitTable(value);
                case ENABLE_PUSH -> flag(value, !server);
                case MAX_CONCURRENT_STREAMS -> maxRemoteStreams = value;
                case INITIAL_WINDOW_SIZE -> {
                    if (value > Integer.MAX_VALUE) {
                        throw Http2Violation.ofConnection(FLOW_CONTROL_ERROR, "a window that is too large");
                    }
                    initialWindow((int) value);
                }
                case MAX_FRAME_SIZE -> {
                    if (value < MAX_PAYLOAD || value > 0xff_ffff) {
                        throw Http2Violation.ofConnection(PROTOCOL_ERROR, "a frame size out of bounds");
                    }
                }
                case ENABLE_CONNECT_PROTOCOL, NO_RFC7540_PRIORITIES -> flag(value, false);
                default -> {
                    // MAX_HEADER_LIST_SIZE is advice only: who gets a longer list can say so better than we. The others
                    // are unknown.
                }
            }
        }

        private void flag(long value, boolean onlyOff) throws Http2Violation {
            if (value > 1 || (onlyOff && value == 1)) {
                throw Http2Violation.ofConnection(PROTOCOL_ERROR, "a setting that is neither on nor off");
            }
        }

        private void initialWindow(int window) throws Http2Violation {
            int change = window - initialSendWindow;
            initialSendWindow = window;
            for (Stream stream : streams.values()) {
                if (change > 0 && stream.sendWindow > Integer.MAX_VALUE - change) {
                    throw Http2Violation.ofConnection(FLOW_CONTROL_ERROR, "a window that is too large");
                }
                stream.sendWindow += change;
                stream.askForTurn();
            }
        }

        @Override
        public void settings(boolean ack) throws Http2Violation {
            floods.control();
            if (!ack) {
                settingsCame = true;
                if (output != null) {
                    // Before any data that only the new windows allow.
                    output.settingsAck();
                    flushSoon();
                }
                takeTurns();
                peerChanged();
            } else {
                settingsAcknowledged();
            }
        }

        @Override
        public void ping(boolean ack, long data) throws Http2Violation {
            if (ack) {
                floods.control();
                return;
            }
            floods.ping();
            if (output != null) {
                output.pingAck(data);
                flushSoon();
            }
        }

        @Override
        public void goAway(int lastStream, int code) throws Http2Violation {
            floods.control();
            if (goAwayReceived >= 0 && lastStream > goAwayReceived) {
                throw Http2Violation.ofConnection(PROTOCOL_ERROR, "a GOAWAY that takes an earlier one back");
            }
            goAwayReceived = lastStream;
            if (!server) {
                for (Stream stream : all()) {
                    if (stream.id > lastStream) {
                        stream.failure = Reset.UNPROCESSED;
                        stream.closed();
                    }
                }
            }
            peerChanged();
        }

        @Override
        public void windowUpdate(int id, int increment) throws Http2Violation {
            if (id == 0) {
                if (sendWindow > Integer.MAX_VALUE - increment) {
                    throw Http2Violation.ofConnection(FLOW_CONTROL_ERROR, "a window that is too large");
                }
                sendWindow += increment;
                takeTurns();
                return;
            }
            if (isIdle(id)) {
                throw Http2Violation.ofConnection(PROTOCOL_ERROR, "a window of a stream that was not opened");
            }
            Stream stream = streams.get(id);
            if (stream == null) {
                return;
            }
            if (stream.sendWindow > Integer.MAX_VALUE - increment) {
                throw Http2Violation.ofStream(id, FLOW_CONTROL_ERROR, "a window that is too large");
            }
            stream.sendWindow += increment;
            stream.askForTurn();
            takeTurns();
        }

        @Override
        public void ignored(int type) throws Http2Violation {
            floods.control();
        }
    }
}
