package dev.tulle.proxy.upstream;

import dev.tulle.proxy.bootstrap.Limits;
import dev.tulle.proxy.http.Detected;
import dev.tulle.proxy.http.FirstBytes;
import dev.tulle.proxy.http.Sweeper;
import dev.tulle.proxy.model.Protocol;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Finds out what an accepted connection speaks, by looking at both sides.
 *
 * <p>The client's first bytes decide. When the client stays silent for a moment the other side is dialled; if that speaks first the
 * connection is opaque at once. A port that is declared HTTP is never taken for opaque, and neither is the beginning of a request that
 * is not finished in time: an application would read as HTTP what nobody has judged.
 */
public final class Detection implements FirstBytes.Look, Sweeper.Swept {
    /** A silent client that may not pass is given so long to say something that can be answered. */
    private static final long REFUSED_SILENCE_MILLIS = 1000;

    private final Channel channel;
    private final Protocol protocol;
    private final Limits limits;
    private final Outcome outcome;
    private final FirstBytes firstBytes = new FirstBytes(this);
    private final long begun = System.nanoTime();
    private State state = State.LOOKING;
    private boolean askingServer;
    private @Nullable Channel server;

    private enum State {
        LOOKING,
        /** Opaque; the upstream connection is being opened, reads are off. */
        DIALLING,
        DONE
    }

    /** What is to be done once it is known; on the connection's loop. */
    public interface Outcome {
        /** A TLS ClientHello began; says what it is. {@link Tls#TAKEN} means that handlers for it were added. */
        Tls tls(ChannelHandlerContext ctx, ByteBuf soFar);

        /** Adds handlers for HTTP at the end of the pipeline. */
        void http(boolean http2);

        /**
         * Opens the upstream connection for opaque bytes; calls back once.
         *
         * @param asked whether only to hear if the server speaks first, so that a refusal is no event yet
         */
        void dial(boolean asked, Consumer<Channel> connected, Runnable failed);

        /** Joins both sides for good. */
        void join(Channel upstream);

        /** How long the client may be silent before the server is asked; 0 where servers are known to speak first. */
        long silenceMillis();

        /** The server spoke first. */
        void serverFirst();

        /** Whether opaque bytes of this connection may not pass, so that nobody need wait for a server to speak. */
        default boolean refusesOpaque() {
            return false;
        }
    }

    /** What a TLS ClientHello is. */
    public enum Tls {
        MORE,
        TAKEN,
        OPAQUE
    }

    private Detection(Channel channel, Protocol protocol, Limits limits, Outcome outcome) {
        this.channel = channel;
        this.protocol = protocol;
        this.limits = limits;
        this.outcome = outcome;
    }

    /** Looks at a connection that has not been read from yet, with no handler that takes its bytes. */
    public static void begin(Channel channel, Protocol protocol, Limits limits, Outcome outcome) {
        Detection detection = added(channel, protocol, limits, outcome);
        if (!detection.isHttpOnly()) {
            long silence = outcome.silenceMillis();
            if (silence == 0) {
                detection.askServer();
            } else {
                channel.eventLoop().schedule(detection::askServer, silence, TimeUnit.MILLISECONDS);
            }
        }
        channel.config().setAutoRead(true);
    }

    /** Takes a connection that has not been read from yet for opaque without a look; its bytes wait for the upstream connection. */
    public static void opaque(Channel channel, Limits limits, Outcome outcome) {
        added(channel, Protocol.TCP, limits, outcome).opaqueNow();
    }

    private static Detection added(Channel channel, Protocol protocol, Limits limits, Outcome outcome) {
        Detection detection = new Detection(channel, protocol, limits, outcome);
        channel.pipeline().addLast("first-bytes", detection.firstBytes);
        Sweeper.of(channel.eventLoop()).add(detection);
        channel.closeFuture().addListener(closed -> detection.finish());
        return detection;
    }

    private boolean isHttpOnly() {
        return protocol == Protocol.HTTP || protocol == Protocol.GRPC;
    }

    @Override
    public boolean decided(ChannelHandlerContext ctx, ByteBuf soFar) {
        if (state == State.DIALLING) {
            return false;
        }
        Detected detected = Detected.of(soFar);
        return switch (detected) {
            case MORE -> false;
            case TLS ->
                switch (outcome.tls(ctx, soFar)) {
                    case MORE -> false;
                    case TAKEN -> {
                        finish();
                        yield true;
                    }
                    case OPAQUE -> isHttpOnly() ? http(false) : opaque();
                };
            case HTTP1, HTTP2 -> protocol == Protocol.TCP ? opaque() : http(detected == Detected.HTTP2);
            case OPAQUE -> isHttpOnly() ? http(false) : opaque();
        };
    }

    @Override
    public void ended(ChannelHandlerContext ctx) {
        if (state == State.LOOKING) {
            if (isHttpOnly()) {
                channel.close();
            } else {
                // All there ever will be, perhaps nothing: the server may have something to say all the same.
                opaqueNow();
            }
        }
    }

    @Override
    public void sweep(long now) {
        if (state == State.DONE
                || now - begun < limits.connections().detectTimeout().toNanos()) {
            return;
        }
        boolean undecided = state == State.LOOKING && !isHttpOnly();
        if (undecided && firstBytes.isSilent() && server != null) {
            // Nobody has said anything yet; whoever does decides.
            if (now - begun > limits.connections().idleTimeout().toNanos()) {
                channel.close();
            }
        } else if (undecided && !firstBytes.isSilent() && !firstBytes.couldBeHttp()) {
            opaqueNow();
        } else {
            channel.close();
        }
    }

    private boolean http(boolean http2) {
        finish();
        outcome.http(http2);
        return true;
    }

    /** Returns whether the bytes can go on at once. */
    private boolean opaque() {
        Channel upstream = server;
        if (upstream != null && upstream.isActive()) {
            joinWith(upstream);
            return true;
        }
        state = State.DIALLING;
        channel.config().setAutoRead(false);
        if (!askingServer) {
            outcome.dial(false, this::connected, channel::close);
        }
        return false;
    }

    private void opaqueNow() {
        ChannelHandlerContext ctx = channel.pipeline().context(firstBytes);
        if (ctx != null && opaque()) {
            firstBytes.decide(ctx);
        }
    }

    private void connected(Channel upstream) {
        ChannelHandlerContext ctx = channel.pipeline().context(firstBytes);
        if (state != State.DIALLING || ctx == null || !channel.isActive()) {
            upstream.close();
            return;
        }
        joinWith(upstream);
        firstBytes.decide(ctx);
    }

    private void joinWith(Channel upstream) {
        server = null;
        finish();
        ServerFirst waiting = upstream.pipeline().get(ServerFirst.class);
        if (waiting != null) {
            upstream.pipeline().remove(waiting);
        }
        outcome.join(upstream);
    }

    private void askServer() {
        if (state != State.LOOKING || !firstBytes.isSilent() || askingServer || !channel.isActive()) {
            return;
        }
        askingServer = true;
        outcome.dial(true, this::serverConnected, this::serverFailed);
    }

    private void serverConnected(Channel upstream) {
        askingServer = false;
        if (state == State.DIALLING) {
            connected(upstream);
        } else if (state == State.DONE || !channel.isActive()) {
            upstream.close();
        } else {
            server = upstream;
            upstream.pipeline().addLast("server-first", new ServerFirst());
        }
    }

    private void serverFailed() {
        askingServer = false;
        if (state == State.DIALLING) {
            outcome.dial(false, this::connected, channel::close);
        } else if (state == State.LOOKING && outcome.refusesOpaque()) {
            channel.eventLoop().schedule(this::refuseIfSilent, REFUSED_SILENCE_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    /** One that speaks HTTP would hear why; whoever is silent waits for a server that it will never hear. */
    private void refuseIfSilent() {
        if (state == State.LOOKING && firstBytes.isSilent() && outcome.refusesOpaque()) {
            outcome.dial(false, Channel::close, channel::close);
        }
    }

    private void finish() {
        state = State.DONE;
        Sweeper.of(channel.eventLoop()).remove(this);
        Channel unused = server;
        server = null;
        if (unused != null) {
            unused.close();
        }
    }

    /** On the dialled side, until either side has spoken. */
    private final class ServerFirst extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ChannelHandlerContext first = channel.pipeline().context(firstBytes);
            if (state != State.LOOKING || first == null) {
                ((ByteBuf) message).release();
                return;
            }
            outcome.serverFirst();
            server = null;
            finish();
            outcome.join(ctx.channel());
            firstBytes.decide(first);
            ctx.fireChannelRead(message);
            ctx.pipeline().remove(this);
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            if (ctx.channel().equals(server)) {
                server = null;
            }
        }
    }
}
