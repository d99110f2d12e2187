package dev.tulle.conformance.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tulle.conformance.bench.Subject.Known;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;

/** What the bench makes of its figures; that it measures at all is what {@code conformance/bench/run --smoke} is for. */
class BenchTest {
    private static final byte[] ANSWER =
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok".getBytes(StandardCharsets.US_ASCII);

    @Test
    void takesTheMiddleOfTheRounds() {
        Results.Spread odd = Results.Spread.of(List.of(9.0, 1.0, 5.0));
        Results.Spread even = Results.Spread.of(List.of(4.0, 1.0, 2.0, 9.0));

        assertThat(odd.median()).isEqualTo(5);
        assertThat(odd.least()).isEqualTo(1);
        assertThat(odd.greatest()).isEqualTo(9);
        assertThat(even.median()).isEqualTo(3);
    }

    @Test
    void holdsAGoalAgainstThePeerOfTheSameRun() {
        Results results = new Results();
        results.add(Measure.HTTP1_CPU, Known.TULLE, 51);
        results.add(Measure.HTTP1_CPU, Known.ENVOY, 100);
        results.add(Measure.HTTP1_RATE, Known.TULLE, 2_000);
        results.add(Measure.HTTP1_RATE, Known.ENVOY, 1_000);

        List<Goal> cpu = Goal.of(Measure.HTTP1_CPU);
        assertThat(cpu.getFirst().outcome(results)).contains(new Goal.Outcome(0.51, false));
        assertThat(cpu.getLast().outcome(results))
                .as("HAProxy was not measured")
                .isEmpty();
        assertThat(Goal.of(Measure.HTTP1_RATE).getFirst().outcome(results)).contains(new Goal.Outcome(2, true));
    }

    @Test
    void holdsAGoalAgainstAPlainNumber() {
        Results results = new Results();
        results.add(Measure.START, Known.TULLE, 0.6);
        results.add(Measure.START, Known.NATIVE, 0.2);

        assertThat(Goal.of(Measure.START).stream()
                        .flatMap(goal -> goal.outcome(results).stream())
                        .map(Goal.Outcome::met))
                .containsExactly(true, false);
    }

    @Test
    void chargesEveryRequestOfAPauseThatTheServerMakes() throws IOException {
        Duration pause = Duration.ofMillis(1_200);
        try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            long wakesAt = System.nanoTime() + pause.toNanos();
            Thread.ofPlatform().daemon().start(() -> answerAll(server, wakesAt));

            FixedRate.Seen seen = FixedRate.run(server.getLocalPort(), 200, 2);

            assertThat(seen.failed()).isZero();
            assertThat(seen.count()).isEqualTo(400);
            // 200 a second were due all through the pause; sending only after an answer would have seen 16 late ones.
            assertThat(seen.percentileMicros(0.70)).isGreaterThan(100_000);
        }
    }

    @Test
    void takesNoAnswerButTheApplications() {
        assertThatThrownBy(() -> Http1Answer.skip(said("HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n")))
                .isInstanceOf(IOException.class);
        assertThatThrownBy(() -> Http1Answer.skip(said("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok")))
                .hasMessageContaining("cut");
    }

    @Test
    void refusesWhatItDoesNotKnow() {
        assertThatThrownBy(() -> Options.parse(List.of("--subjects", "tulle,istio")))
                .hasMessageContaining("istio")
                .hasMessageContaining("haproxy");
        assertThatThrownBy(() -> Options.parse(List.of("--workloads"))).hasMessageContaining("needs a value");
        assertThatThrownBy(() -> Options.parse(List.of("--record", "here", "--smoke")))
                .hasMessageContaining("runs of everything only");
    }

    @Test
    void drawsEveryPlotAsOneWellFormedDocument() throws Exception {
        Results results = new Results();
        for (Measure measure : Measure.values()) {
            results.add(measure, Known.TULLE, 3);
            results.add(measure, Known.TULLE, 5);
            results.add(measure, Known.ENVOY, -1);
        }
        for (Plot plot : Plot.ALL) {
            Optional<String> drawn = plot.draw(results, List.of(Known.DIRECT, Known.TULLE, Known.ENVOY));

            assertThat(drawn).isPresent();
            byte[] bytes = drawn.get().getBytes(StandardCharsets.UTF_8);
            assertThat(DocumentBuilderFactory.newDefaultInstance()
                            .newDocumentBuilder()
                            .parse(new ByteArrayInputStream(bytes))
                            .getElementsByTagName("rect")
                            .getLength())
                    .isEqualTo(1 + 2 * plot.measures().size());
        }
        assertThat(Plot.ALL.getFirst().draw(new Results(), List.of(Known.TULLE)))
                .isEmpty();
    }

    private static InputStream said(String text) {
        return new ByteArrayInputStream(text.getBytes(StandardCharsets.US_ASCII));
    }

    /** Answers each read, which is one request here, but nobody before a moment. */
    private static void answerAll(ServerSocket server, long notBefore) {
        try {
            while (true) {
                Socket socket = server.accept();
                Thread.ofPlatform().daemon().start(() -> {
                    try (socket) {
                        byte[] block = new byte[4096];
                        while (socket.getInputStream().read(block) > 0) {
                            Threads.sleep(Duration.ofNanos(Math.max(0, notBefore - System.nanoTime())));
                            socket.getOutputStream().write(ANSWER);
                        }
                    } catch (IOException e) {
                        // The client has gone.
                    }
                });
            }
        } catch (IOException e) {
            // Closed.
        }
    }
}
