package dev.tulle.proxy.upstream;

import dev.tulle.proxy.http.ClientHello;
import dev.tulle.proxy.model.Report.Direction;
import dev.tulle.proxy.telemetry.ServerNames;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Looks on while opaque bytes of a client pass: when they begin with a TLS ClientHello it notes the server name. Nothing waits for
 * it and nothing is changed; then it leaves the pipeline.
 */
public final class ServerNameReader extends ChannelInboundHandlerAdapter {
    private final DataPlane plane;
    private final Direction direction;
    private final String at;
    private @Nullable ByteBuf soFar;

    private ServerNameReader(DataPlane plane, Direction direction, String at) {
        this.plane = plane;
        this.direction = direction;
        this.at = at;
    }

    /**
     * Adds it at the end of a pipeline through which no opaque byte has come yet.
     *
     * @param at outbound: the destination; inbound: the port as a number
     */
    public static void watch(Channel downstream, DataPlane plane, Direction direction, String at) {
        downstream.pipeline().addLast("server-name", new ServerNameReader(plane, direction, at));
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        boolean done = isDone((ByteBuf) message, ctx);
        ctx.fireChannelRead(message);
        if (done && !ctx.isRemoved()) {
            ctx.pipeline().remove(this);
        }
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        if (soFar != null) {
            soFar.release();
            soFar = null;
        }
    }

    private boolean isDone(ByteBuf in, ChannelHandlerContext ctx) {
        int most = plane.limits().tls().maxClientHelloBytes();
        ByteBuf seen = in;
        if (soFar != null) {
            seen = soFar.writeBytes(in, in.readerIndex(), Math.min(in.readableBytes(), soFar.maxWritableBytes()));
        }
        return switch (ClientHello.read(seen, most)) {
            case ClientHello.Read.Whole(ClientHello hello) -> {
                note(hello.serverName());
                yield true;
            }
            case ClientHello.Read.Other() -> true;
            case ClientHello.Read.More() -> {
                if (soFar == null) {
                    int held = Math.min(in.readableBytes(), most);
                    soFar = ctx.alloc().buffer(512, most).writeBytes(in, in.readerIndex(), held);
                }
                yield !soFar.isWritable() && soFar.maxWritableBytes() == 0;
            }
        };
    }

    private void note(String name) {
        if (!name.isEmpty() && plane.meters().serverNames().seen(new ServerNames.Seen(direction, at, name))) {
            plane.log()
                    .info(
                            "an application speaks TLS of its own",
                            "direction",
                            direction.name().toLowerCase(Locale.ROOT),
                            "at",
                            at,
                            "server-name",
                            name);
        }
    }
}
