package dev.tulle.proxy.upstream;

import dev.tulle.proxy.bootstrap.Limits;
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
import dev.tulle.proxy.http.WaitingBytes;
import dev.tulle.proxy.identity.Alpn;
import dev.tulle.proxy.resilience.Slots;
import dev.tulle.proxy.resilience.TryFailure;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One request on its way from a downstream stream to an upstream one, and its answer on the way back.
 *
 * <p>What one leg has written on, the other leg may receive anew: that is all the back-pressure. While there is no upstream stream
 * yet, body bytes wait here, at most what the downstream side may send without being acknowledged. As long as nothing was sent, up
 * to {@value #MAX_TRIES} endpoints are tried; a request that may be repeated is sent again if the connection ended before
 * any byte of the answer.
 *
 * <p>With a {@link CallGuard} a request may be late, and a failed one may be sent again as long as nothing of an answer was passed
 * on. For that the body is kept while it is no larger than {@link Limits.Connections#bufferPerStreamBytes}.
 */
public final class HttpRelay {
    /** So many pieces of a body that waits are sent on as they came. */
    private static final int SEPARATE_PIECES = 16;

    /** Endpoints tried for one request. */
    static final int MAX_TRIES = 3;

    /** Times that one request goes to another endpoint because one did nothing with it. */
    private static final int MAX_MOVES = 2;

    /** Times that one request goes to the application again: after a connection that had rested, one that was not accepted any more. */
    private static final int MAX_REPEATS = 2;

    private final Upstreams upstreams;
    private final RequestHead head;
    private final boolean bodyless;
    private final boolean http2;
    private final ServerStream down;
    private final Attempt.Source attempts;
    private final long queueMillis;
    private final Ended ended;
    private final @Nullable CallGuard guard;
    private final long begun = System.nanoTime();
    private WaitingBytes waiting = new WaitingBytes(SEPARATE_PIECES);
    private @Nullable Fields waitingTrailers;
    private boolean waitingEnd;
    private boolean requestOver;
    private @Nullable Attempt attempt;
    private @Nullable ClientStream up;
    private @Nullable FromUpstream answering;
    private @Nullable Kept kept;
    private long tryBegun = begun;
    private boolean inQueue;
    private long acknowledged;
    private int tries;
    private int sent;
    private int moves;
    private int repeats;
    private boolean anySent;
    private boolean responseStarted;
    private boolean tunnel;
    private boolean grpcAnswer;
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
            Ended ended,
            @Nullable CallGuard guard) {
        this.upstreams = upstreams;
        this.head = head;
        this.bodyless = end;
        this.requestOver = end;
        this.http2 = http2;
        this.down = down;
        this.attempts = attempts;
        this.queueMillis = queueMillis;
        this.ended = ended;
        this.guard = guard;
        this.kept = (guard != null && guard.repeats()) || (!end && attempts.hasSeveral()) ? new Kept(upstreams) : null;
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
     * @param http2 whether it came by HTTP/2, and is sent on by it; one of HTTP/1.1 reaches the application as such
     * @param queueMillis how long it may wait for a connection
     * @param guard what holds for it beyond being sent once; null for nothing
     */
    public static StreamListener start(
            Upstreams upstreams,
            RequestHead head,
            boolean end,
            boolean http2,
            ServerStream down,
            Attempt.Source attempts,
            long queueMillis,
            Ended ended,
            @Nullable CallGuard guard) {
        HttpRelay relay = new HttpRelay(upstreams, head, end, http2, down, attempts, queueMillis, ended, guard);
        relay.begin();
        return relay.new FromDownstream();
    }

    private void begin() {
        if (guard != null) {
            guard.begin(this::late);
            long delay = guard.delayMillis();
            if (delay > 0) {
                upstreams.loop().schedule(this::again, delay, TimeUnit.MILLISECONDS);
                return;
            }
        }
        tryNext(DialFailure.CONNECT_FAILED);
    }

    private void again() {
        if (!over) {
            tries = 0;
            tryBegun = System.nanoTime();
            tryNext(DialFailure.CONNECT_FAILED);
        }
    }

    private void tryNext(DialFailure lastFailure) {
        Optional<Attempt> next = tries < MAX_TRIES ? attempts.next() : Optional.empty();
        if (next.isPresent()) {
            tries++;
            send(next.get(), false);
        } else if (tries == 0) {
            answer(503, "no-endpoint", "no endpoint can take the request");
        } else if (lastFailure == DialFailure.MAX_CONNECTIONS) {
            if (guard != null) {
                guard.connectionsFull();
            }
            answer(503, lastFailure.wireName(), lastFailure.sentence());
        } else if (!triesAgain(TryFailure.NOT_CONNECTED)) {
            String sentence = "no endpoint could be reached: " + lastFailure.sentence();
            if (attempts.isLastHop()) {
                finish(true, 503);
                Answers.unprocessed(down, head, lastFailure.wireName(), sentence);
            } else {
                answer(503, lastFailure.wireName(), sentence);
            }
        }
    }

    private void send(Attempt chosen, boolean fresh) {
        attempt = chosen;
        sent++;
        chosen.started();
        if (guard != null) {
            guard.tried();
        }
        HttpPool pool = upstreams.pool(chosen.target(), protocolTo(chosen.target()));
        HttpConnection connection = fresh ? null : pool.ready(bodyless && head.isIdempotent());
        if (connection == null) {
            pool.await(new Waiting(chosen, sent), queueMillis);
        } else {
            chosen.connected();
            open(connection);
            pool.opened(connection);
        }
    }

    /**
     * How the request crosses to a target. Between proxies requests of HTTP/1.1 share connections as streams of HTTP/2, save
     * tunnels, uploads that are long or wait to be asked for, and heads that are too large for HTTP/2.
     */
    private Alpn protocolTo(Target target) {
        if (http2) {
            return Alpn.H2;
        }
        Limits limits = upstreams.limits();
        boolean shares = target.identity().isPresent()
                && !head.websocket()
                && (bodyless
                        || (head.length() >= 0
                                && head.length() <= limits.connections().bufferPerStreamBytes()))
                && !head.fields().contains("expect")
                && head.listBytes() <= limits.http().maxHeaderBytes();
        return shares ? Alpn.TULLE_HTTP1 : Alpn.HTTP_1_1;
    }

    /** One try, while there is no connection for it. */
    private final class Waiting extends HttpPool.Waiter {
        private final Attempt chosen;
        private final int number;

        Waiting(Attempt chosen, int number) {
            this.chosen = chosen;
            this.number = number;
        }

        @Override
        boolean isWanted() {
            return !over && sent == number;
        }

        @Override
        boolean mayWait() {
            inQueue = guard != null && guard.mayWait();
            return guard == null || inQueue;
        }

        @Override
        @Nullable Slots connections() {
            return guard == null ? null : guard.connections();
        }

        @Override
        void ready(HttpConnection connection) {
            leaveQueue();
            // How long a connection takes to be made says little of how fast the endpoint answers from then on.
            tryBegun = System.nanoTime();
            chosen.connected();
            open(connection);
        }

        @Override
        void failed(DialFailure failure) {
            if (!isWanted()) {
                return;
            }
            leaveQueue();
            attempt = null;
            if (failure.isWorthAnotherEndpoint()) {
                if (failure == DialFailure.MAX_CONNECTIONS) {
                    chosen.abandoned();
                } else {
                    chosen.connectFailed();
                }
                tryNext(failure);
            } else {
                chosen.abandoned();
                answer(503, failure.wireName(), "the request was not sent: " + failure.sentence());
            }
        }
    }

    private void leaveQueue() {
        if (inQueue && guard != null) {
            inQueue = false;
            guard.waited();
        }
    }

    private void open(HttpConnection connection) {
        boolean endNow = bodyless || (waitingEnd && waiting.isEmpty() && waitingTrailers == null);
        FromUpstream listener = new FromUpstream();
        answering = listener;
        ClientStream stream = connection.open(head, endNow, listener);
        if (answering != listener) {
            return; // It failed inside the call, and what becomes of the request is settled.
        }
        listener.stream = stream;
        up = stream;
        while (!waiting.isEmpty() && !over && answering == listener) {
            ByteBuf data = waiting.remove();
            sendOn(stream, data, waitingEnd && waiting.isEmpty() && waitingTrailers == null);
        }
        if (waitingTrailers != null && !over && answering == listener) {
            anySent = true;
            stream.trailers(waitingTrailers);
        }
    }

    private void sendOn(ClientStream stream, ByteBuf data, boolean end) {
        anySent = true;
        if (kept != null && !kept.add(data)) {
            kept = null;
        }
        stream.data(data, end);
    }

    /** After a failed try: sends the request again, later, if that is allowed and everything of it is still there. */
    private boolean triesAgain(TryFailure failure) {
        if (guard == null || over || responseStarted) {
            return false;
        }
        Kept body = kept;
        long wait = guard.retryAfterMillis(failure, !anySent || body != null);
        if (wait < 0) {
            return false;
        }
        Attempt used = attempt;
        attempt = null;
        sent++;
        up = null;
        answering = null;
        leaveQueue();
        if (used != null) {
            used.answered(true, System.nanoTime() - tryBegun);
        }
        if (body != null) {
            waiting = body.followedBy(waiting);
            waitingEnd = requestOver && !bodyless;
        }
        attempts.startOver();
        upstreams.loop().schedule(this::again, wait, TimeUnit.MILLISECONDS);
        return true;
    }

    /**
     * After an endpoint that certainly did nothing with the request: sends it to another one, whatever its method, if there is one and
     * everything of it is still there. Source: RFC 9113, 8.7.
     *
     * @param ill whether the endpoint is not well, rather than about to end
     */
    private boolean movesOn(boolean ill) {
        Kept body = kept;
        if (over || responseStarted || moves == MAX_MOVES || (anySent && body == null)) {
            return false;
        }
        Optional<Attempt> next = attempts.next();
        if (next.isEmpty()) {
            return false;
        }
        moves++;
        Attempt used = attempt;
        attempt = null;
        up = null;
        answering = null;
        if (used != null && ill) {
            used.connectFailed();
        } else if (used != null) {
            used.abandoned();
        }
        attempts.moved();
        if (body != null) {
            waiting = body.followedBy(waiting);
            waitingEnd = requestOver && !bodyless;
        }
        tryBegun = System.nanoTime();
        send(next.get(), false);
        return true;
    }

    /** A limit of time has passed. */
    private void late(CallGuard.TimeLimit limit) {
        if (over || (limit == CallGuard.TimeLimit.PER_TRY && responseStarted)) {
            return;
        }
        ClientStream stream = up;
        if (limit == CallGuard.TimeLimit.DEADLINE && attempt != null) {
            // That the caller is in a hurry says nothing about the endpoint.
            attempt.abandoned();
            attempt = null;
        }
        if (limit == CallGuard.TimeLimit.PER_TRY && triesAgain(TryFailure.LATE)) {
            cancel(stream);
        } else if (!responseStarted) {
            answer(504, limit.wireName(), limit.sentence());
            cancel(stream);
        } else {
            cancel(stream);
            breakOff(504, limit.wireName(), limit.sentence(), Reset.IDLE);
        }
    }

    /** Ends an answer that has begun and cannot go on: a gRPC call by a status that its client understands, others by a reset. */
    private void breakOff(int meant, String reason, String sentence, Reset reset) {
        finish(true, status);
        if (grpcAnswer) {
            down.trailers(Answers.grpcTrailers(meant, reason, sentence));
        } else {
            down.reset(reset);
        }
    }

    private void cancel(@Nullable ClientStream stream) {
        up = null;
        if (stream != null) {
            stream.reset(Reset.CANCELLED);
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
        leaveQueue();
        if (guard != null) {
            guard.over();
        }
        if (kept != null) {
            kept.release();
            kept = null;
        }
        if (used != null) {
            if (responseStarted || failure) {
                used.answered(failure, nanos - (tryBegun - begun));
            } else {
                used.abandoned();
            }
        }
        waiting.release();
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
            if (guard != null) {
                guard.moved();
            }
            ClientStream stream = up;
            if (over) {
                down.consumed(data.readableBytes());
                data.release();
            } else if (stream != null) {
                sendOn(stream, data, end);
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
                if (kept != null) {
                    waitingTrailers = trailers;
                }
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

    /** What the endpoint of one try answers; when another try has followed, nobody wants to hear it any more. */
    private final class FromUpstream implements ResponseListener {
        private @Nullable ClientStream stream;
        private long drained;
        private int ignored;

        @Override
        public void onInform(ResponseHead informational) {
            if (!over && answering == this) {
                down.inform(informational);
            }
        }

        @Override
        public void onResponse(ResponseHead answer, boolean end) {
            if (over || answering != this) {
                return;
            }
            boolean unprocessed = Answers.isUnprocessed(answer, end);
            boolean byProxy = unprocessed && isOfProxy();
            if (byProxy && movesOnAfter(end)) {
                return;
            }
            if (guard != null && triesAgainAfter(answer, end)) {
                return;
            }
            firstByteNanos = System.nanoTime() - begun;
            responseStarted = true;
            if (kept != null) {
                kept.release();
                kept = null;
            }
            status = answer.status();
            tunnel = status == 101;
            failed = isGrpcFailure(answer.fields());
            grpcAnswer = http2 && head.isGrpc() && answer.length() == RequestHead.UNKNOWN;
            ResponseHead passed = unprocessed && !byProxy ? Answers.processed(answer) : answer;
            if (guard != null) {
                passed = guard.passing(passed);
                if (tunnel) {
                    guard.tunnelled();
                }
            }
            if (end) {
                finishAnswer(Fields.EMPTY);
            }
            down.respond(passed, end);
        }

        /** Whether a proxy answers: only one can say so of its application, which may itself pass on what another proxy said. */
        private boolean isOfProxy() {
            Attempt used = attempt;
            return !attempts.isLastHop()
                    && used != null
                    && used.target().identity().isPresent();
        }

        private boolean movesOnAfter(boolean end) {
            boolean unsent = !requestOver || !waiting.isEmpty();
            if (!movesOn(true)) {
                return false;
            }
            if (!end && unsent && stream != null) {
                stream.reset(Reset.NOT_NEEDED);
            }
            return true;
        }

        private boolean triesAgainAfter(ResponseHead answer, boolean end) {
            TryFailure failure = guard == null ? null : guard.failureOf(answer);
            boolean unsent = !requestOver || !waiting.isEmpty();
            if (failure == null || !triesAgain(failure)) {
                return false;
            }
            if (!end && unsent && stream != null) {
                stream.reset(Reset.NOT_NEEDED);
            }
            return true;
        }

        @Override
        public void onData(ByteBuf data, boolean end) {
            if (over || answering != this) {
                ignore(data);
                return;
            }
            if (guard != null) {
                guard.moved();
            }
            if (end) {
                finishAnswer(Fields.EMPTY);
            }
            down.data(data, end);
        }

        /** The rest of an answer that was not good enough is read to its end, if that is near, for the sake of the connection. */
        private void ignore(ByteBuf data) {
            int bytes = data.readableBytes();
            data.release();
            ignored += bytes;
            if (stream != null && !over) {
                if (ignored > upstreams.limits().connections().bufferPerStreamBytes()) {
                    stream.reset(Reset.NOT_NEEDED);
                } else {
                    stream.consumed(bytes);
                }
            }
        }

        @Override
        public void onTrailers(Fields trailers) {
            if (!over && answering == this) {
                finishAnswer(trailers);
                down.trailers(trailers);
            }
        }

        @Override
        public void onReset(Reset reset) {
            if (answering != this) {
                return;
            }
            answering = null;
            up = null;
            if (over) {
                return;
            }
            if (responseStarted) {
                switch (reset.cause()) {
                    case PEER -> {
                        finish(true, status);
                        down.reset(reset);
                    }
                    case MALFORMED ->
                        breakOff(
                                503,
                                "upstream-malformed",
                                "the rest of the application's answer broke the protocol",
                                reset);
                    case IDLE ->
                        breakOff(503, "upstream-idle", "nothing came of the rest of the answer in time", reset);
                    default -> breakOff(503, "upstream-reset", "the connection ended before the answer did", reset);
                }
                return;
            }
            if (reset.cause() == Reset.Cause.UNPROCESSED && movesOn(false)) {
                return;
            }
            Attempt used = attempt;
            boolean repeatable = !anySent
                    && (reset.cause() == Reset.Cause.UNPROCESSED || (isGone(reset) && bodyless && head.isIdempotent()));
            if (repeatable && repeats < (attempts.isLastHop() ? MAX_REPEATS : 1) && used != null) {
                repeats++;
                used.abandoned();
                send(used, true);
            } else if (triesAgain(
                    reset.cause() == Reset.Cause.UNPROCESSED ? TryFailure.UNPROCESSED : TryFailure.RESET)) {
                return;
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

        /**
         * Whether the connection ended as connections do whose server ends: one that others had used, or, to an application, one that it
         * had not accepted yet when it stopped listening.
         */
        private boolean isGone(Reset reset) {
            return reset.cause() == Reset.Cause.STALE || (reset.cause() == Reset.Cause.LOST && attempts.isLastHop());
        }

        @Override
        public void onDrained(int bytes) {
            // What is sent a second time was acknowledged already.
            drained += bytes;
            long more = drained - acknowledged;
            if (more > 0) {
                acknowledged = drained;
                down.consumed((int) more);
            }
        }
    }

    /** What was sent of a body, so that it can be sent again. */
    private static final class Kept {
        private final Upstreams upstreams;
        private WaitingBytes sent = new WaitingBytes(SEPARATE_PIECES);
        private int bytes;

        Kept(Upstreams upstreams) {
            this.upstreams = upstreams;
        }

        /** False when it became too much, of this body or of all together; nothing is kept then. */
        boolean add(ByteBuf data) {
            int more = data.readableBytes();
            int most = upstreams.limits().connections().bufferPerStreamBytes();
            if (bytes + more > most || !upstreams.keep(more)) {
                release();
                return false;
            }
            bytes += more;
            if (more > 0) {
                sent.add(data.retainedDuplicate());
            }
            return true;
        }

        /** Gives everything over, in front of what waits. */
        WaitingBytes followedBy(WaitingBytes waiting) {
            WaitingBytes all = sent;
            all.addAll(waiting);
            sent = new WaitingBytes(SEPARATE_PIECES);
            upstreams.keep(-bytes);
            bytes = 0;
            return all;
        }

        void release() {
            upstreams.keep(-bytes);
            bytes = 0;
            sent.release();
        }
    }
}
