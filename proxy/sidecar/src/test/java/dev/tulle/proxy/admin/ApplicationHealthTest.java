package dev.tulle.proxy.admin;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.tulle.proxy.bootstrap.Transport;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.WorkloadConfig.HealthCheck;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ApplicationHealthTest {
    private record Found(boolean well, String detail) {}

    private final EventLoopGroup loops =
            new MultiThreadIoEventLoopGroup(1, Transport.best().ioHandlers());
    private final EventLoop loop = loops.next();
    private final BlockingQueue<Found> found = new LinkedBlockingQueue<>();
    private final ApplicationHealth health =
            new ApplicationHealth(loop, Transport.best(), (well, detail) -> found.add(new Found(well, detail)));

    @AfterEach
    void stop() {
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }

    @Test
    void isWellWithoutACheck() throws Exception {
        check(Optional.empty());

        assertThat(next().well()).isTrue();
    }

    @Test
    void connectsWhereThereIsNoPath() throws Exception {
        ServerSocket application = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
        HostPort address = new HostPort("127.0.0.1", application.getLocalPort());
        check(Optional.of(new HealthCheck(address, "", 100)));
        assertThat(next().well()).isTrue();

        application.close();

        Found gone = next();
        assertThat(gone.well()).isFalse();
        assertThat(gone.detail()).contains(address.toString());
    }

    @Test
    void followsTheStatusOfItsPathAndForgivesOneBadAnswer() throws Exception {
        AtomicInteger status = new AtomicInteger(204);
        AtomicInteger bad = new AtomicInteger();
        HttpServer application = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 10);
        application.createContext("/healthz", exchange -> {
            int now = bad.getAndUpdate(left -> Math.max(0, left - 1)) > 0 ? 500 : status.get();
            exchange.sendResponseHeaders(now, -1);
            exchange.close();
        });
        application.start();
        try {
            HostPort address =
                    new HostPort("127.0.0.1", application.getAddress().getPort());
            check(Optional.of(new HealthCheck(address, "/healthz", 100)));
            assertThat(next().well()).isTrue();

            bad.set(1);
            assertThat(found.poll(1, TimeUnit.SECONDS)).as("one bad answer").isNull();

            status.set(503);
            assertThat(next()).satisfies(unwell -> {
                assertThat(unwell.well()).isFalse();
                assertThat(unwell.detail()).contains("/healthz answers 503");
            });

            status.set(302);
            assertThat(next().well()).isTrue();
        } finally {
            application.stop(0);
        }
    }

    @Test
    void isUnwellWhenNothingAnswersInTime() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
            check(Optional.of(new HealthCheck(new HostPort("127.0.0.1", silent.getLocalPort()), "/", 100)));

            assertThat(next()).satisfies(unwell -> {
                assertThat(unwell.well()).isFalse();
                assertThat(unwell.detail()).contains("no answer");
            });
        }
    }

    private void check(Optional<HealthCheck> wanted) throws Exception {
        loop.submit(() -> health.check(wanted)).sync();
    }

    private Found next() throws InterruptedException {
        Found one = found.poll(15, TimeUnit.SECONDS);
        assertThat(one).as("a finding within 15 seconds").isNotNull();
        return one;
    }
}
