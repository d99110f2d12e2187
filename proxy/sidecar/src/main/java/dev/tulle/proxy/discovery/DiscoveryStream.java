package dev.tulle.proxy.discovery;

import dev.tulle.proxy.bootstrap.Limits;
import dev.tulle.proxy.identity.ControllerConnection;
import dev.tulle.proxy.identity.Refusals;
import dev.tulle.proxy.model.ProxyCodec;
import dev.tulle.proxy.model.ToController;
import dev.tulle.proxy.telemetry.Meters;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http2.DefaultHttp2DataFrame;
import io.netty.handler.codec.http2.DefaultHttp2HeadersFrame;
import io.netty.handler.codec.http2.Http2DataFrame;
import io.netty.handler.codec.http2.Http2HeadersFrame;
import io.netty.handler.codec.http2.Http2ResetFrame;
import io.netty.util.ReferenceCountUtil;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One opening of the stream: lines of JSON over one HTTP/2 exchange. Lives on the control loop. */
final class DiscoveryStream extends ChannelInboundHandlerAdapter {
    private static final int OK = 200;
    private static final int UNAUTHORIZED = 401;
    private static final int FORBIDDEN = 403;
    private static final int MAX_REFUSAL_CHARS = 4096;

    private final DiscoveryClient client;
    private final Meters meters;
    private final int maxLineOut;
    private final LineSplitter splitter;
    private final List<byte[]> lines = new ArrayList<>();
    private final StringBuilder refusal = new StringBuilder();
    private @Nullable ControllerConnection connection;
    private @Nullable Channel channel;
    private int status;
    private boolean over;

    DiscoveryStream(DiscoveryClient client, Limits.Control limits, Meters meters) {
        this.client = client;
        this.meters = meters;
        this.maxLineOut = limits.maxLineToControllerBytes();
        this.splitter = new LineSplitter(limits.maxLineToProxyBytes(), new LineSplitter.Lines() {
            @Override
            public void line(byte[] line) {
                lines.add(line);
            }

            @Override
            public void tooLong() {
                meters.limitHit("max_line_to_proxy_bytes");
                client.tooLong(DiscoveryStream.this);
            }
        });
    }

    /** Sends the request and what opens the conversation. */
    void begin(ControllerConnection over, Channel stream, List<ToController> greeting) {
        connection = over;
        channel = stream;
        over.whenClosed(() -> ended("the connection was lost", false));
        stream.write(new DefaultHttp2HeadersFrame(
                over.requestHeaders("/v1/stream").set("content-type", "application/x-ndjson"), false));
        greeting.forEach(this::send);
        stream.flush();
    }

    /** Whether the controller has taken the stream and it has not ended. */
    boolean isLive() {
        return status == OK && !over;
    }

    boolean isWritable() {
        return channel != null && channel.isWritable();
    }

    /** Sends one message; one that is too long for a line is dropped and counted. */
    void send(ToController message) {
        if (channel == null || over) {
            return;
        }
        ByteBuf line = ByteBufUtil.writeUtf8(channel.alloc(), ProxyCodec.encode(message));
        if (line.readableBytes() > maxLineOut) {
            line.release();
            meters.limitHit("max_line_to_controller_bytes");
            return;
        }
        line.writeByte('\n');
        channel.writeAndFlush(new DefaultHttp2DataFrame(line));
    }

    /** Ends it from our side; not told as lost. */
    void end() {
        over = true;
        if (connection != null) {
            connection.close();
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        try {
            boolean last = false;
            if (message instanceof Http2HeadersFrame head) {
                last = head.isEndStream();
                if (status == 0) {
                    status = ControllerConnection.statusOf(head.headers());
                    if (status == OK) {
                        client.live(this);
                    }
                }
            } else if (message instanceof Http2DataFrame data) {
                last = data.isEndStream();
                if (status == OK) {
                    splitter.feed(data.content());
                } else if (refusal.length() < MAX_REFUSAL_CHARS) {
                    refusal.append(data.content().toString(StandardCharsets.UTF_8));
                }
            } else if (message instanceof Http2ResetFrame reset) {
                ended("the controller reset the stream, HTTP/2 error " + reset.errorCode(), false);
            }
            if (last) {
                handOver();
                ended(
                        status == OK
                                ? "the controller ended the stream"
                                : Refusals.sentence(status, refusal.toString()),
                        status >= 400 && status < 500);
            }
        } finally {
            ReferenceCountUtil.release(message);
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        handOver();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        ended("the stream was closed", false);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        ended(String.valueOf(cause.getMessage()), false);
    }

    private void handOver() {
        if (!lines.isEmpty()) {
            List<byte[]> batch = List.copyOf(lines);
            lines.clear();
            client.received(this, batch);
        }
    }

    private void ended(String problem, boolean refused) {
        if (over) {
            return;
        }
        over = true;
        if (connection != null) {
            connection.close();
        }
        client.lost(this, problem, refused);
        if (status == UNAUTHORIZED || status == FORBIDDEN) {
            client.doubted();
        }
    }
}
