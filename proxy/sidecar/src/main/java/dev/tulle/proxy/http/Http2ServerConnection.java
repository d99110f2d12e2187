package dev.tulle.proxy.http;

import dev.tulle.proxy.bootstrap.Limits;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Stream;
import java.util.concurrent.TimeUnit;

/** The server's side of one HTTP/2 connection; many requests at once. */
public final class Http2ServerConnection extends Http2Peer implements ServerConnection {
    /** Between telling the client to go elsewhere and taking no more: streams that were on their way then are served. */
    private static final long GOAWAY_NOTICE_MILLIS = 500;

    private final RequestHandler handler;
    private boolean anyRequest;
    private boolean draining;

    public Http2ServerConnection(RequestHandler handler, Limits limits) {
        super(true, limits);
        this.handler = handler;
        gracefulShutdownTimeoutMillis(limits.connections().drainTimeout().toMillis());
    }

    @Override
    public void drain() {
        ChannelHandlerContext ctx = context();
        if (ctx == null || draining) {
            return;
        }
        draining = true;
        goAway(ctx, Integer.MAX_VALUE, Http2Error.NO_ERROR.code(), Unpooled.EMPTY_BUFFER, ctx.newPromise());
        ctx.flush();
        // Netty then sends the final GOAWAY and closes once no stream is left.
        ctx.executor().schedule(() -> ctx.channel().close(), GOAWAY_NOTICE_MILLIS, TimeUnit.MILLISECONDS);
    }

    @Override
    public void close() {
        ChannelHandlerContext ctx = context();
        if (ctx != null) {
            ctx.close();
        }
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
    void opened(Http2Stream stream, Http2Headers headers, boolean end) {
        anyRequest = true;
        RequestHead head;
        try {
            head = Http2Heads.request(headers, end, limits().http().maxHeaderFields());
        } catch (MalformedMessage e) {
            Exchange refused = new Exchange(stream);
            if (end) {
                refused.receivedEnd();
            }
            if (e.status() == 400) {
                refused.sendReset(Http2Error.PROTOCOL_ERROR.code());
            } else {
                refused.respond(
                        new ResponseHead(e.status(), "", Fields.of(Answers.REASON_FIELD, Answers.MALFORMED), 0), true);
            }
            return;
        }
        Exchange exchange = new Exchange(stream);
        if (end) {
            exchange.receivedEnd();
        }
        exchange.listener(handler.onRequest(head, end, exchange));
    }

    @Override
    void streamEnded() {}

    @Override
    void gone() {}

    @Override
    void peerChanged() {}

    /** One request and its answer. */
    private final class Exchange extends Stream implements ServerStream {
        private boolean responded;

        Exchange(Http2Stream stream) {
            super(stream);
        }

        @Override
        void moreHeaders(Http2Headers headers, boolean end) throws MalformedMessage {
            if (!end) {
                throw MalformedMessage.badRequest("headers in the midst of a request");
            }
            trailersReceived(Http2Heads.trailers(headers, true, limits().http().maxTrailerFields()));
        }

        @Override
        boolean stopsPeerAtEnd() {
            return true;
        }

        @Override
        public void inform(ResponseHead head) {
            if (!isOver() && !responded) {
                writeHeaders(Http2Heads.write(head), false);
            }
        }

        @Override
        public void respond(ResponseHead head, boolean end) {
            if (!isOver() && !responded) {
                responded = true;
                writeHeaders(Http2Heads.write(head), end);
            }
        }
    }
}
