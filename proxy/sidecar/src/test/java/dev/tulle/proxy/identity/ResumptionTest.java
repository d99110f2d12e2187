package dev.tulle.proxy.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tulle.proxy.bootstrap.Limits;
import dev.tulle.proxy.bootstrap.Transport;
import dev.tulle.proxy.identity.TlsContexts.Current;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.TrustBundle;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.handler.ssl.SslHandler;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.KeyPair;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a resumed session may and may not be taken for (safety rule 21). */
@Timeout(60)
class ResumptionTest {
    private static final int MAX_SESSIONS = 6;
    private static final Limits.Tls LIMITS =
            new Limits.Tls(16 * 1024, Duration.ofSeconds(10), 512, MAX_SESSIONS, Duration.ofMinutes(10));

    private final TestAuthority authority = new TestAuthority();
    private volatile Instant now = Instant.now();
    private final Transport transport = Transport.best();
    private final EventLoopGroup loops = new MultiThreadIoEventLoopGroup(1, transport.ioHandlers());
    private final TlsContexts web = contexts();
    private final TlsContexts db = contexts();
    private final SpiffeId webId = authority.svid("shop", "web").identity();
    private final SpiffeId dbId = authority.svid("shop", "db").identity();

    /** Both ends of a connection whose handshake is over, and what each believes. */
    private record Met(boolean resumed, Optional<SpiffeId> caller, Optional<SpiffeId> callee) {}

    private TlsContexts contexts() {
        return new TlsContexts(
                new Clock() {
                    @Override
                    public ZoneId getZone() {
                        return ZoneOffset.UTC;
                    }

                    @Override
                    public Clock withZone(ZoneId zone) {
                        return this;
                    }

                    @Override
                    public Instant instant() {
                        return now;
                    }
                },
                LIMITS);
    }

    @BeforeEach
    void enroll() {
        web.install(authority.svid("shop", "web"), authority.trust());
        db.install(authority.svid("shop", "db"), authority.trust());
    }

    @AfterEach
    void stop() {
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }

    @Test
    void resumesWithTheSamePeerAndStillKnowsWhoItIs() throws Exception {
        assertThat(meet(dbId, 1)).isEqualTo(new Met(false, Optional.of(webId), Optional.of(dbId)));
        assertThat(meet(dbId, 1)).isEqualTo(new Met(true, Optional.of(webId), Optional.of(dbId)));
        assertThat(meet(dbId, 1)).isEqualTo(new Met(true, Optional.of(webId), Optional.of(dbId)));
    }

    @Test
    void takesNoTicketOfBeforeARotationOfTheServer() throws Exception {
        meet(dbId, 1);

        db.install(authority.svid("shop", "db"), authority.trust());

        assertThat(meet(dbId, 1)).isEqualTo(new Met(false, Optional.of(webId), Optional.of(dbId)));
    }

    @Test
    void offersNoTicketOfBeforeARotationOfTheClient() throws Exception {
        meet(dbId, 1);

        web.install(authority.svid("shop", "web2"), authority.trust());

        assertThat(meet(dbId, 1))
                .isEqualTo(new Met(
                        false, Optional.of(authority.svid("shop", "web2").identity()), Optional.of(dbId)));
    }

    @Test
    void resumesNothingOnceTheServerNoLongerTrustsTheClientsRoot() throws Exception {
        meet(dbId, 1);

        db.install(authority.svid("shop", "db"), new TestAuthority().trust());

        assertThat(meet(dbId, 1).caller()).isEmpty();
    }

    @Test
    void resumesNothingOnceTheClientNoLongerTrustsTheServersRoot() throws Exception {
        TestAuthority other = new TestAuthority();
        TrustBundle both = new TrustBundle(
                TestAuthority.TRUST_DOMAIN,
                List.of(
                        authority.trust().anchors().getFirst(),
                        other.trust().anchors().getFirst()),
                "");
        web.install(authority.svid("shop", "web"), both);
        meet(dbId, 1);

        web.install(authority.svid("shop", "web"), other.trust());

        assertThat(meet(dbId, 1).callee()).isEmpty();
    }

    @Test
    void doesNotOfferATicketOfOneIdentityWhereAnotherIsExpected() throws Exception {
        meet(dbId, 1);

        Met met = meet(new SpiffeId(TestAuthority.TRUST_DOMAIN, "shop", "cache"), 1);

        assertThat(met.resumed()).isFalse();
        assertThat(met.callee()).contains(dbId);
    }

    @Test
    void getsTheOtherIdentityFromAnotherServerAtTheSameAddress() throws Exception {
        meet(dbId, 1);

        db.install(authority.svid("shop", "thief"), authority.trust());

        assertThat(meet(dbId, 1))
                .isEqualTo(new Met(
                        false,
                        Optional.of(webId),
                        Optional.of(authority.svid("shop", "thief").identity())));
    }

    @Test
    void believesNobodyInAResumedSessionWhoseLeafHasEnded() throws Exception {
        KeyPair keys = TestAuthority.keys();
        Instant end = now.plus(Duration.ofMinutes(30));
        Svid shortLived = new Svid(
                keys.getPrivate(),
                List.of(authority.leaf().uri(webId.uri()).valid(now, end).sign(keys.getPublic()), authority.issuer()),
                webId);
        web.install(shortLived, authority.trust());
        assertThat(meet(dbId, 1).caller()).contains(webId);

        now = end.plus(PeerVerifier.CLOCK_SKEW).plusSeconds(1);

        assertThat(meet(dbId, 1)).isEqualTo(new Met(true, Optional.empty(), Optional.of(dbId)));
    }

    @Test
    void keepsSoManySessionsAndNoMore() throws Exception {
        for (int place = 1; place <= MAX_SESSIONS; place++) {
            meet(dbId, place);
        }

        assertThat(sessions(web.current().orElseThrow())).isBetween(1, MAX_SESSIONS);
    }

    private static int sessions(Current current) {
        return Collections.list(current.client(Alpn.H2).sessionContext().getIds())
                .size();
    }

    /** {@code place} tells addresses apart for the store of sessions; the connection goes to the same listener. */
    private Met meet(SpiffeId expected, int place) throws Exception {
        Current client = web.current().orElseThrow();
        Current server = db.current().orElseThrow();
        BlockingQueue<SslHandler> accepted = new LinkedBlockingQueue<>();
        BlockingQueue<Channel> taken = new LinkedBlockingQueue<>();
        Channel listener = new ServerBootstrap()
                .group(loops)
                .channel(transport.server())
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        SslHandler tls = server.server().newHandler(channel.alloc());
                        accepted.add(tls);
                        taken.add(channel);
                        channel.pipeline().addLast(tls);
                    }
                })
                .bind(InetAddress.getLoopbackAddress(), 0)
                .sync()
                .channel();
        BlockingQueue<SslHandler> dialled = new LinkedBlockingQueue<>();
        Channel connection = new Bootstrap()
                .group(loops)
                .channel(transport.client())
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        SslHandler tls = client.dialling(
                                Alpn.H2,
                                channel.alloc(),
                                expected,
                                new InetSocketAddress(InetAddress.getLoopbackAddress(), place));
                        dialled.add(tls);
                        channel.pipeline().addLast(tls);
                    }
                })
                .connect(listener.localAddress())
                .sync()
                .channel();
        SslHandler clientSide = dialled.take();
        SslHandler serverSide = accepted.take();
        assertThat(clientSide.handshakeFuture().await(10, TimeUnit.SECONDS)).isTrue();
        assertThat(serverSide.handshakeFuture().await(10, TimeUnit.SECONDS)).isTrue();
        boolean both = clientSide.handshakeFuture().isSuccess()
                && serverSide.handshakeFuture().isSuccess();
        if (both) {
            // Tickets travel with the first bytes of the server.
            taken.take().writeAndFlush(Unpooled.wrappedBuffer(new byte[] {1}));
            await().atMost(Duration.ofSeconds(10)).until(() -> sessions(client) > 0);
        }
        Met met = both
                ? new Met(
                        Current.isResumed(clientSide) && Current.isResumed(serverSide),
                        server.caller(serverSide),
                        client.callee(clientSide))
                : new Met(false, Optional.empty(), Optional.empty());
        connection.close().sync();
        listener.close().sync();
        return met;
    }
}
