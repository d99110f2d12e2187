package dev.tulle.proxy.http;

import dev.tulle.proxy.bootstrap.Limits;
import io.netty.channel.ChannelHandlerContext;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** The server's side of one HTTP/2 connection; many requests at once. */
public final class Http2ServerConnection extends Http2Peer implements ServerConnection {
    /** Between telling the client to go elsewhere and taking no more: streams that were on their way then are served. */
    private static final long GOAWAY_NOTICE_MILLIS = 500;

    private final RequestHandler handler;
    private boolean anyRequest;
    private boolean draining;

    /** Whether the client was told which stream is the last. */
    private boolean closesWhenIdle;

    /** One whose limits nobody counts. */
    Http2ServerConnection(RequestHandler handler, Limits limits) {
        this(handler, limits, limit -> {});
    }

    /** @param limitHits is told the name of a limit whenever it bites */
    public Http2ServerConnection(RequestHandler handler, Limits limits, Consumer<String> limitHits) {
        super(true, limits, limitHits);
        this.handler = handler;
    }

    @Override
    public void drain() {
        ChannelHandlerContext ctx = context();
        if (ctx == null || draining) {
            return;
        }
        draining = true;
        goAway(Integer.MAX_VALUE);
        ctx.executor().schedule(this::takeNoMore, GOAWAY_NOTICE_MILLIS, TimeUnit.MILLISECONDS);
        ctx.executor()
                .schedule(this::close, limits().connections().drainTimeout().toMillis(), TimeUnit.MILLISECONDS);
    }

    private void takeNoMore() {
        goAway(lastRemote());
        closesWhenIdle = true;
        streamEnded();
    }

    @Override
    public void close() {
        closeNow();
    }

    @Override
    void sweepIdle(long millis) {
        if (millis
                > (anyRequest
                                ? limits().connections().idleTimeout()
                                : limits().connections().firstRequestTimeout())
                        .toMillis()) {
            drain();
        }
    }

    @Override
    void opened(int id, boolean end) {
        anyRequest = true;
        Exchange exchange = new Exchange(id);
        if (end) {
            exchange.receivedEnd();
        }
        RequestHead head;
        try {
            head = Http2Heads.request(block(), end, limits().http().maxHeaderFields());
        } catch (MalformedMessage e) {
            if (e.status() == 400) {
                exchange.reset(Reset.MALFORMED);
            } else {
                exchange.respond(
                        new ResponseHead(e.status(), "", Fields.of(Answers.REASON_FIELD, Answers.MALFORMED), 0), true);
            }
            return;
        }
        exchange.expect(head.length());
        exchange.listener(handler.onRequest(head, end, exchange));
    }

    @Override
    void streamEnded() {
        if (closesWhenIdle && activeStreams() == 0) {
            closeWritten();
        }
    }

    @Override
    void gone() {}

    @Override
    void peerChanged() {}

    /** One request and its answer. */
    private final class Exchange extends Stream implements ServerStream {
        private boolean responded;

        Exchange(int id) {
            super(id);
        }

        @Override
        void moreHeaders(boolean end) throws MalformedMessage {
            if (!end) {
                throw MalformedMessage.badRequest("headers in the midst of a request");
            }
            trailersReceived(Http2Heads.trailers(block(), true, limits().http().maxTrailerFields()));
        }

        @Override
        boolean takesData() {
            return true;
        }

        @Override
        boolean stopsPeerAtEnd() {
            return true;
        }

        @Override
        public void inform(ResponseHead head) {
            if (!isOver() && !responded) {
                writeHead(head, false);
            }
        }

        @Override
        public void respond(ResponseHead head, boolean end) {
            if (!isOver() && !responded) {
                responded = true;
                writeHead(head, end);
            }
        }
    }
}
