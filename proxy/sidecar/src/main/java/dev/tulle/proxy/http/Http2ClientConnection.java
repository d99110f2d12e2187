package dev.tulle.proxy.http;

import dev.tulle.proxy.bootstrap.Limits;
import io.netty.channel.ChannelHandlerContext;
import java.util.function.Consumer;

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
    private boolean unusable;

    /** Whether somebody may wait for room. */
    private boolean full;

    private int resets;

    /** @param limitHits is told the name of a limit whenever it bites */
    public Http2ClientConnection(ConnectionOwner owner, Limits limits, Consumer<String> limitHits) {
        super(false, limits, limitHits);
        this.owner = owner;
    }

    @Override
    public ClientStream open(RequestHead head, boolean end, ResponseListener listener) {
        if (!hasRoom()) {
            throw new IllegalStateException("a request was opened on a connection without room");
        }
        Exchange exchange = new Exchange(nextStream(), head.method(), listener);
        exchange.writeHead(head, end);
        return exchange;
    }

    @Override
    public boolean hasRoom() {
        ChannelHandlerContext ctx = context();
        long most = Math.min(
                maxRemoteStreams(STREAMS_BEFORE_SETTINGS), limits().http2().maxConcurrentStreams());
        boolean room = !unusable
                && ctx != null
                && ctx.channel().isActive()
                && !isClosing()
                && activeStreams() < most
                && lastLocal() < Integer.MAX_VALUE - 2;
        full |= !room;
        return room;
    }

    @Override
    public boolean isIdle() {
        return activeStreams() == 0;
    }

    @Override
    public void drain() {
        markUnusable();
        if (isIdle()) {
            closeWritten();
        }
    }

    @Override
    public void close() {
        markUnusable();
        closeNow();
    }

    @Override
    void sweepIdle(long millis) {
        if (millis > limits().connections().poolIdleTimeout().toMillis()) {
            close();
        }
    }

    @Override
    void opened(int id, boolean end) {
        throw new IllegalStateException("a server opened stream %d".formatted(id));
    }

    @Override
    void streamEnded() {
        ChannelHandlerContext ctx = context();
        if (ctx == null || !(full || unusable)) {
            return;
        }
        full = false;
        // Later in this round: whoever hears of the end of this stream shall hear of it first.
        ctx.executor().execute(() -> {
            if (unusable && isIdle()) {
                closeWritten();
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
        if (goAwayReceived() >= 0) {
            drain();
        } else if (hasRoom()) {
            owner.onRoom(this);
        }
    }

    /** Without a GOAWAY that tells, the server may have seen the request: only one that may be repeated is sent again. */
    @Override
    Reset lost(int id) {
        return goAwayReceived() >= 0 && id > goAwayReceived() ? Reset.UNPROCESSED : Reset.STALE;
    }

    private void markUnusable() {
        if (!unusable) {
            unusable = true;
            owner.onUnusable(this);
        }
    }

    /** One request and its answer. */
    private final class Exchange extends Stream implements ClientStream {
        private final String method;
        private final ResponseListener answers;
        private boolean responded;
        private int informational;

        Exchange(int id, String method, ResponseListener answers) {
            super(id);
            this.method = method;
            this.answers = answers;
            listener(answers);
        }

        @Override
        void moreHeaders(boolean end) throws MalformedMessage {
            if (responded) {
                if (!end) {
                    throw MalformedMessage.badRequest("headers in the midst of an answer");
                }
                trailersReceived(
                        Http2Heads.trailers(block(), false, limits().http().maxTrailerFields()));
                return;
            }
            ResponseHead head = Http2Heads.response(block(), limits().http().maxHeaderFields());
            if (head.status() < 200) {
                if (end) {
                    throw MalformedMessage.badRequest("an answer that is informational only");
                }
                if (++informational > MAX_INFORMATIONAL) {
                    throw MalformedMessage.badRequest("too many informational answers");
                }
                answers.onInform(head);
                return;
            }
            boolean bodyless = ResponseHead.hasNoBody(method, head.status());
            if (end && !bodyless && head.length() > 0) {
                throw MalformedMessage.badRequest("Content-Length of an answer without body");
            }
            expect(bodyless ? 0 : head.length());
            responded = true;
            answers.onResponse(head, end);
        }

        @Override
        boolean takesData() {
            return responded;
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
