package dev.tulle.proxy.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tulle.proxy.bootstrap.Log;
import dev.tulle.proxy.bootstrap.Transport;
import dev.tulle.proxy.telemetry.Meters;
import dev.tulle.proxy.telemetry.PrometheusText;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LoopLagTest {
    private final EventLoopGroup loops =
            new MultiThreadIoEventLoopGroup(1, Transport.best().ioHandlers());
    private final Meters meters = new Meters(10);
    private final ByteArrayOutputStream said = new ByteArrayOutputStream();

    @AfterEach
    void stop() {
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }

    @Test
    void countsAndTellsThatALoopWasHeldUp() {
        LoopLag.watch(
                loops.next(), meters, new Log(new PrintStream(said, true), Log.Level.INFO, 4096, Clock.systemUTC()));

        loops.next().execute(() -> sleep(2 * (LoopLag.EVERY_MILLIS + LoopLag.ALARM_MILLIS)));

        await().atMost(Duration.ofSeconds(10)).untilAsserted(() -> {
            assertThat(PrometheusText.of(meters, "1", Set.of()))
                    .contains("tulle_limit_hits_total{limit=\"loop_lag\"} ");
            assertThat(said.toString(StandardCharsets.UTF_8)).contains("an event loop was held up milliseconds=");
        });
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
