package dev.tulle.proxy.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tulle.proxy.bootstrap.Limits;
import dev.tulle.proxy.identity.TlsContexts.Current;
import dev.tulle.proxy.model.TrustBundle;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.local.LocalAddress;
import io.netty.channel.local.LocalChannel;
import io.netty.channel.local.LocalIoHandler;
import io.netty.channel.local.LocalServerChannel;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import io.netty.util.concurrent.Future;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TlsContextsTest {
    private final TestAuthority authority = new TestAuthority();
    private final EventLoopGroup loops = new MultiThreadIoEventLoopGroup(1, LocalIoHandler.newFactory());
    private final TlsContexts web =
            new TlsContexts(Clock.systemUTC(), Limits.defaults().tls());
    private final TlsContexts db =
            new TlsContexts(Clock.systemUTC(), Limits.defaults().tls());

    /** Both ends of a connection whose handshake is over. */
    private record Handshake(
            SslHandler client, SslHandler server, Future<Channel> clientDone, Future<Channel> serverDone) {}

    @AfterEach
    void stop() {
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }

    @Test
    void runsOnBoringSsl() {
        TlsContexts.requireBoringSsl();
        Current current = web.install(authority.svid("shop", "web"), authority.trust());

        assertThat(current.server()
                        .newHandler(ByteBufAllocator.DEFAULT)
                        .engine()
                        .getClass()
                        .getName())
                .contains("OpenSsl");
    }

    @ParameterizedTest
    @EnumSource(Alpn.class)
    void bothSidesProveWhoTheyAreOverTls13(Alpn alpn) throws Exception {
        web.install(authority.svid("shop", "web"), authority.trust());
        db.install(authority.svid("shop", "db"), authority.trust());

        Handshake both = handshake(
                web.current().orElseThrow().client(alpn),
                db.current().orElseThrow().server());

        assertThat(both.clientDone().isSuccess()).isTrue();
        assertThat(both.serverDone().isSuccess()).isTrue();
        assertThat(PeerIdentity.of(both.client()))
                .contains(authority.svid("shop", "db").identity());
        assertThat(PeerIdentity.of(both.server()))
                .contains(authority.svid("shop", "web").identity());
        assertThat(both.client().engine().getSession().getProtocol()).isEqualTo("TLSv1.3");
        assertThat(both.client().applicationProtocol()).isEqualTo(alpn.wireName());
        assertThat(both.server().applicationProtocol()).isEqualTo(alpn.wireName());
    }

    @Test
    void refusesAClientWithoutACertificate() throws Exception {
        db.install(authority.svid("shop", "db"), authority.trust());

        Handshake both = handshake(
                TlsContexts.withoutCertificate(authority.trust(), Clock.systemUTC()),
                db.current().orElseThrow().server());

        assertThat(both.serverDone().isSuccess()).isFalse();
    }

    @Test
    void refusesAClientOfAnotherRoot() throws Exception {
        TestAuthority other = new TestAuthority();
        web.install(other.svid("shop", "web"), authority.trust());
        db.install(authority.svid("shop", "db"), authority.trust());

        Handshake both = handshake(
                web.current().orElseThrow().client(Alpn.H2),
                db.current().orElseThrow().server());

        assertThat(both.serverDone().isSuccess()).isFalse();
    }

    @Test
    void refusesAnOlderTls() throws Exception {
        db.install(authority.svid("shop", "db"), authority.trust());
        Svid svid = authority.svid("shop", "web");
        SslContext old = SslContextBuilder.forClient()
                .sslProvider(SslProvider.OPENSSL_REFCNT)
                .protocols("TLSv1.2")
                .keyManager(svid.key(), svid.chain())
                .trustManager(new PeerVerifier(authority.trust(), Clock.systemUTC()))
                .endpointIdentificationAlgorithm(null)
                .build();

        Handshake both = handshake(old, db.current().orElseThrow().server());

        assertThat(both.serverDone().isSuccess()).isFalse();
        assertThat(both.clientDone().isSuccess()).isFalse();
    }

    @Test
    void swapsEverythingAtOnceAndKeepsOpenConnections() throws Exception {
        web.install(authority.svid("shop", "web"), authority.trust());
        db.install(authority.svid("shop", "db"), authority.trust());
        Current before = db.current().orElseThrow();
        Handshake open = handshake(web.current().orElseThrow().client(Alpn.H2), before.server());
        List<Long> told = new ArrayList<>();
        db.onChange(current -> told.add(current.generation()));

        for (int i = 0; i < 5; i++) {
            db.install(authority.svid("shop", "db"), authority.trust());
        }

        assertThat(told).containsExactly(2L, 3L, 4L, 5L, 6L);
        assertThat(db.current().orElseThrow().generation()).isEqualTo(6);
        assertThat(open.server().engine().getSession().isValid()).isTrue();
        assertThat(PeerIdentity.of(open.server()))
                .contains(authority.svid("shop", "web").identity());
    }

    @Test
    void keepsWhatIsInForceWhenANewBundleIsOfNoUse() {
        web.install(authority.svid("shop", "web"), authority.trust());

        assertThatThrownBy(() -> web.install(
                        authority.svid("shop", "web"), new TrustBundle("cluster.local", List.of("rubbish"), "")))
                .isInstanceOf(IllegalArgumentException.class);
        assertThat(web.current().map(Current::generation)).isEqualTo(Optional.of(1L));
    }

    private Handshake handshake(SslContext client, SslContext server) throws Exception {
        BlockingQueue<SslHandler> accepted = new LinkedBlockingQueue<>();
        LocalAddress address = new LocalAddress(TlsContextsTest.class);
        Channel listener = new ServerBootstrap()
                .group(loops)
                .channel(LocalServerChannel.class)
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        SslHandler tls = server.newHandler(channel.alloc());
                        accepted.add(tls);
                        channel.pipeline().addLast(tls);
                    }
                })
                .bind(address)
                .sync()
                .channel();
        BlockingQueue<SslHandler> dialled = new LinkedBlockingQueue<>();
        new Bootstrap()
                .group(loops)
                .channel(LocalChannel.class)
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        SslHandler tls = client.newHandler(channel.alloc());
                        dialled.add(tls);
                        channel.pipeline().addLast(tls);
                    }
                })
                .connect(address)
                .sync();
        SslHandler clientSide = dialled.take();
        SslHandler serverSide = accepted.take();
        assertThat(clientSide.handshakeFuture().await(10, TimeUnit.SECONDS)).isTrue();
        assertThat(serverSide.handshakeFuture().await(10, TimeUnit.SECONDS)).isTrue();
        listener.close().sync();
        return new Handshake(clientSide, serverSide, clientSide.handshakeFuture(), serverSide.handshakeFuture());
    }
}
