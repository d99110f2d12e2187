package dev.tulle.proxy.bootstrap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A connection whose peer ends its side while reads are off loses nothing. */
@Timeout(30)
class HalfCloseEpollTest {
    private static final int SIZE = 1 << 20;

    @Test
    void readsWhatWasSentBeforeTheEndOnceReadsAreOnAgain() throws Exception {
        // Given
        Transport transport = Transport.best();
        EventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, transport.ioHandlers());
        AtomicLong received = new AtomicLong();
        CompletableFuture<Channel> accepted = new CompletableFuture<>();
        CompletableFuture<Void> ended = new CompletableFuture<>();
        Channel server = new ServerBootstrap()
                .group(loop)
                .channel(transport.server())
                .childOption(ChannelOption.AUTO_READ, false)
                .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        accepted.complete(channel);
                        channel.pipeline().addLast(new ChannelInboundHandlerAdapter() {
                            @Override
                            public void channelRead(ChannelHandlerContext ctx, Object message) {
                                received.addAndGet(((ByteBuf) message).readableBytes());
                                ((ByteBuf) message).release();
                            }

                            @Override
                            public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
                                if (event instanceof ChannelInputShutdownEvent) {
                                    ended.complete(null);
                                }
                            }

                            @Override
                            public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                                ended.completeExceptionally(cause);
                            }
                        });
                    }
                })
                .bind("127.0.0.1", 0)
                .sync()
                .channel();
        try (Socket client =
                new Socket(InetAddress.getLoopbackAddress(), ((InetSocketAddress) server.localAddress()).getPort())) {
            // When
            client.setSendBufferSize(2 * SIZE);
            client.getOutputStream().write(new byte[SIZE]);
            client.shutdownOutput();
            Channel channel = accepted.get(10, TimeUnit.SECONDS);
            // The end arrives while nobody reads.
            Thread.sleep(200);
            channel.config().setAutoRead(true);
            ended.get(10, TimeUnit.SECONDS);
            // Then
            assertThat(received).hasValue(SIZE);
            // And the other direction is still open, with more than the socket takes at once.
            CompletableFuture<Integer> read = CompletableFuture.supplyAsync(() -> {
                try {
                    return client.getInputStream().readNBytes(8 * SIZE).length;
                } catch (java.io.IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            });
            channel.writeAndFlush(channel.alloc().buffer(8 * SIZE).writeZero(8 * SIZE))
                    .get(10, TimeUnit.SECONDS);
            assertThat(read.get(10, TimeUnit.SECONDS)).isEqualTo(8 * SIZE);
        } finally {
            loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(5, TimeUnit.SECONDS);
        }
    }

    /** Another socket may have the number of one that was closed before the loop has forgotten that one. */
    @Test
    void leavesASocketAloneThatHasTheNumberOfAClosedOne() throws Exception {
        Transport transport = Transport.best();
        assumeTrue(transport.name().equals("epoll"), "only epoll knows sockets by their numbers");
        EventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, transport.ioHandlers());
        CompletableFuture<Channel> accepted = new CompletableFuture<>();
        CompletableFuture<String> heard = new CompletableFuture<>();
        try (ServerSocket peer = new ServerSocket(0, 100, InetAddress.getLoopbackAddress())) {
            Channel server = new ServerBootstrap()
                    .group(loop)
                    .channel(transport.server())
                    .childOption(ChannelOption.AUTO_READ, false)
                    .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
                    .childHandler(new ChannelInitializer<>() {
                        @Override
                        protected void initChannel(Channel channel) {
                            accepted.complete(channel);
                        }
                    })
                    .bind("127.0.0.1", 0)
                    .sync()
                    .channel();
            try (Socket client = new Socket(
                    InetAddress.getLoopbackAddress(), ((InetSocketAddress) server.localAddress()).getPort())) {
                client.shutdownOutput();
                EpollSocketChannel closed = (EpollSocketChannel) accepted.get(10, TimeUnit.SECONDS);
                // The end arrives while nobody reads: nothing is wanted of the socket any more.
                Thread.sleep(200);
                int number = closed.fd().intValue();
                EpollSocketChannel next = loop.next()
                        .submit(() -> {
                            closed.close();
                            EpollSocketChannel same = withNumber(number, loop, peer, heard);
                            closed.config().setAutoRead(true);
                            return same;
                        })
                        .get(10, TimeUnit.SECONDS);
                assumeTrue(next.fd().intValue() == number, "no new socket got the number of the closed one");
                await().atMost(Duration.ofSeconds(10)).until(next::isActive);
                for (boolean told = false; !told; ) {
                    Socket other = peer.accept();
                    told = other.getPort() == next.localAddress().getPort();
                    other.getOutputStream().write("hello".getBytes(StandardCharsets.US_ASCII));
                }
                assertThat(heard.get(10, TimeUnit.SECONDS)).isEqualTo("hello");
            }
        } finally {
            loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(5, TimeUnit.SECONDS);
        }
    }

    /** Opens connections until one has the number, fifty at most; the last one opened tells what it hears. */
    private static EpollSocketChannel withNumber(
            int number, EventLoopGroup loop, ServerSocket peer, CompletableFuture<String> heard) {
        for (int i = 0; ; i++) {
            EpollSocketChannel channel = (EpollSocketChannel) new Bootstrap()
                    .group(loop)
                    .channel(EpollSocketChannel.class)
                    .handler(new ChannelInboundHandlerAdapter() {
                        @Override
                        public void channelRead(ChannelHandlerContext ctx, Object message) {
                            if (((EpollSocketChannel) ctx.channel()).fd().intValue() == number) {
                                heard.complete(((ByteBuf) message).toString(StandardCharsets.US_ASCII));
                            }
                            ((ByteBuf) message).release();
                        }
                    })
                    .connect(peer.getLocalSocketAddress())
                    .channel();
            if (channel.fd().intValue() == number || i == 50) {
                return channel;
            }
        }
    }
}
