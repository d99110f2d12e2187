package dev.tulle.proxy.upstream;

import dev.tulle.proxy.http.Answers;
import dev.tulle.proxy.http.ClientStream;
import dev.tulle.proxy.http.Fields;
import dev.tulle.proxy.http.HttpConnection;
import dev.tulle.proxy.http.RequestHead;
import dev.tulle.proxy.http.Reset;
import dev.tulle.proxy.http.ResponseHead;
import dev.tulle.proxy.http.ResponseListener;
import dev.tulle.proxy.http.ServerStream;
import dev.tulle.proxy.http.StreamListener;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One request on its way from a downstream stream to an upstream one, and its answer on the way back.
 *
 * <p>What one leg has written on, the other leg may receive anew: that is all the back-pressure. While there is no upstream stream
 * yet, body bytes wait here, at most what the downstream side may send without being acknowledged. As long as nothing was sent, up
 * to {@value #MAX_TRIES} endpoints are tried; a request that may be repeated is sent again once if a reused connection ended before
 * any byte of the answer.
 */
public final class HttpRelay {
    /** Endpoints tried for one request. */
    static final int MAX_TRIES = 3;

    private final Upstreams upstreams;
    private final RequestHead head;
    private final boolean bodyless;
    private final boolean http2;
    private final ServerStream down;
    private final Attempt.Source attempts;
    private final long queueMillis;
    private final Ended ended;
    private final long begun = System.nanoTime();
    private final Queue<ByteBuf> waiting = new ArrayDeque<>(0);
    private @Nullable Fields waitingTrailers;
    private boolean waitingEnd;
    private boolean requestOver;
    private @Nullable Attempt attempt;
    private @Nullable ClientStream up;
    private int tries;
    private boolean repeated;
    private boolean anySent;
    private boolean responseStarted;
    private boolean tunnel;
    private boolean over;
    private int status;
    private boolean failed;
    private long firstByteNanos = -1;

    private HttpRelay(
            Upstreams upstreams,
            RequestHead head,
            boolean end,
            boolean http2,
            ServerStream down,
            Attempt.Source attempts,
            long queueMillis,
            Ended ended) {
        this.upstreams = upstreams;
        this.head = head;
        this.bodyless = end;
        this.requestOver = end;
        this.http2 = http2;
        this.down = down;
        this.attempts = attempts;
        this.queueMillis = queueMillis;
        this.ended = ended;
    }

    /** Learns how it went; called once. */
    public interface Ended {
        /**
         * The request is over.
         *
         * @param failure an answer of 500 and above, a gRPC failure, or none at all
         * @param status of the answer; 0 without one
         * @param firstByteMicros from the request's head to the first byte of the answer, or until it failed
         */
        void ended(boolean failure, int status, long firstByteMicros);
    }

    /**
     * Sends a request on.
     *
     * @param head as it is to be written upstream
     * @param end whether it has no body
     * @param http2 whether the upstream connection speaks HTTP/2
     * @param queueMillis how long it may wait for a connection
     */
    public static StreamListener start(
            Upstreams upstreams,
            RequestHead head,
            boolean end,
            boolean http2,
            ServerStream down,
            Attempt.Source attempts,
            long queueMillis,
            Ended ended) {
        HttpRelay relay = new HttpRelay(upstreams, head, end, http2, down, attempts, queueMillis, ended);
        relay.tryNext(DialFailure.CONNECT_FAILED);
        return relay.new FromDownstream();
    }

    private void tryNext(DialFailure lastFailure) {
        Optional<Attempt> next = tries < MAX_TRIES ? attempts.next() : Optional.empty();
        if (next.isEmpty()) {
            answer(
                    503,
                    tries == 0 ? "no-endpoint" : lastFailure.wireName(),
                    tries == 0
                            ? "no endpoint can take the request"
                            : "no endpoint could be reached: " + lastFailure.sentence());
            return;
        }
        tries++;
        send(next.get(), false);
    }

    private void send(Attempt chosen, boolean fresh) {
        attempt = chosen;
        chosen.started();
        upstreams.http(chosen.target(), http2, fresh, queueMillis, new HttpPool.Waiter() {
            @Override
            public boolean isWanted() {
                return !over;
            }

            @Override
            public void ready(HttpConnection connection) {
                chosen.connected();
                open(connection);
            }

            @Override
            public void failed(DialFailure failure) {
                if (over) {
                    return;
                }
                attempt = null;
                if (failure.isWorthAnotherEndpoint()) {
                    chosen.connectFailed();
                    tryNext(failure);
                } else {
                    chosen.abandoned();
                    answer(503, failure.wireName(), "the request was not sent: " + failure.sentence());
                }
            }
        });
    }

    private void open(HttpConnection connection) {
        boolean endNow = bodyless || (waitingEnd && waiting.isEmpty() && waitingTrailers == null);
        ClientStream stream = connection.open(head, endNow, new FromUpstream());
        up = stream;
        while (!waiting.isEmpty() && !over) {
            anySent = true;
            ByteBuf data = waiting.remove();
            stream.data(data, waitingEnd && waiting.isEmpty() && waitingTrailers == null);
        }
        if (waitingTrailers != null && !over) {
            anySent = true;
            stream.trailers(waitingTrailers);
        }
    }

    /** Ends it with an answer of our own. */
    private void answer(int answered, String reason, String sentence) {
        if (over) {
            return;
        }
        finish(true, answered);
        Answers.send(down, head, answered, reason, sentence);
    }

    /** Counts it and forgets what waits; nothing happens afterwards. */
    private void finish(boolean failure, int finalStatus) {
        if (over) {
            return;
        }
        over = true;
        long now = System.nanoTime();
        long nanos = firstByteNanos >= 0 ? firstByteNanos : now - begun;
        Attempt used = attempt;
        attempt = null;
        if (used != null) {
            if (responseStarted || failure) {
                used.answered(failure, nanos);
            } else {
                used.abandoned();
            }
        }
        waiting.forEach(ByteBuf::release);
        waiting.clear();
        ended.ended(failure, finalStatus, TimeUnit.NANOSECONDS.toMicros(nanos));
    }

    private void finishAnswer(Fields trailers) {
        finish(failed || status >= 500 || isGrpcFailure(trailers), status);
        ClientStream stream = up;
        up = null;
        if (stream != null && !requestOver && !tunnel) {
            // An answer before the end of the request ends the upload.
            stream.reset(Reset.NOT_NEEDED);
        }
    }

    /** Whether a gRPC status says that the callee failed, not that the caller was wrong. */
    private static boolean isGrpcFailure(Fields fields) {
        String grpc = fields.first("grpc-status");
        return grpc != null
                && switch (grpc) {
                    case "2", "4", "13", "14", "15" -> true;
                    default -> false;
                };
    }

    /** What the caller sends. */
    private final class FromDownstream implements StreamListener {
        @Override
        public void onData(ByteBuf data, boolean end) {
            requestOver |= end;
            ClientStream stream = up;
            if (over) {
                down.consumed(data.readableBytes());
                data.release();
            } else if (stream != null) {
                anySent = true;
                stream.data(data, end);
                if (tunnel && end) {
                    // Both directions of a WebSocket connection end together.
                    finishAnswer(Fields.EMPTY);
                    down.data(Unpooled.EMPTY_BUFFER, true);
                }
            } else {
                waiting.add(data);
                waitingEnd |= end;
            }
        }

        @Override
        public void onTrailers(Fields trailers) {
            requestOver = true;
            if (over) {
                return;
            }
            if (up != null) {
                anySent = true;
                up.trailers(trailers);
            } else {
                waitingTrailers = trailers;
                waitingEnd = true;
            }
        }

        @Override
        public void onReset(Reset reset) {
            ClientStream stream = up;
            up = null;
            // A caller that goes away says nothing about the endpoint.
            finish(false, status);
            if (stream != null) {
                stream.reset(Reset.CANCELLED);
            }
        }

        @Override
        public void onDrained(int bytes) {
            if (up != null) {
                up.consumed(bytes);
            }
        }
    }

    /** What the endpoint answers. */
    private final class FromUpstream implements ResponseListener {
        @Override
        public void onInform(ResponseHead informational) {
            if (!over) {
                down.inform(informational);
            }
        }

        @Override
        public void onResponse(ResponseHead answer, boolean end) {
            if (over) {
                return;
            }
            firstByteNanos = System.nanoTime() - begun;
            responseStarted = true;
            status = answer.status();
            tunnel = status == 101;
            failed = isGrpcFailure(answer.fields());
            if (end) {
                finishAnswer(Fields.EMPTY);
            }
            down.respond(answer, end);
        }

        @Override
        public void onData(ByteBuf data, boolean end) {
            if (over) {
                data.release();
                return;
            }
            if (end) {
                finishAnswer(Fields.EMPTY);
            }
            down.data(data, end);
        }

        @Override
        public void onTrailers(Fields trailers) {
            if (!over) {
                finishAnswer(trailers);
                down.trailers(trailers);
            }
        }

        @Override
        public void onReset(Reset reset) {
            up = null;
            if (over) {
                return;
            }
            if (responseStarted) {
                finish(true, status);
                down.reset(reset);
                return;
            }
            Attempt used = attempt;
            boolean repeatable = !anySent
                    && (reset.cause() == Reset.Cause.UNPROCESSED
                            || (reset.cause() == Reset.Cause.STALE && bodyless && head.isIdempotent()));
            if (repeatable && !repeated && used != null) {
                repeated = true;
                used.abandoned();
                send(used, true);
            } else if (http2 && (reset.cause() == Reset.Cause.PEER || reset.cause() == Reset.Cause.UNPROCESSED)) {
                finish(true, 0);
                down.reset(reset);
            } else {
                switch (reset.cause()) {
                    case MALFORMED -> answer(502, "upstream-malformed", "the application's answer broke the protocol");
                    case IDLE -> answer(504, "upstream-idle", "the application did not answer in time");
                    default -> answer(502, "upstream-reset", "the connection ended before the answer came");
                }
            }
        }

        @Override
        public void onDrained(int bytes) {
            down.consumed(bytes);
        }
    }
}
