package dev.tulle.proxy.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.proxy.bootstrap.Limits;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Streams, windows and limits of the connection that takes requests, frame by frame. */
class Http2ServerConnectionTest {
    private static final Limits LIMITS = Limits.defaults();
    private static final int WINDOW = LIMITS.http2().initialStreamWindowBytes();
    private static final int CONNECTION_WINDOW = LIMITS.http2().connectionWindowBytes();

    private final List<Taken> taken = new ArrayList<>();
    private final Http2ServerConnection connection = new Http2ServerConnection(
            (head, end, stream) -> {
                Taken request = new Taken(stream);
                taken.add(request);
                return request;
            },
            LIMITS);
    private final Http2Talk client = new Http2Talk(connection, true);

    @AfterEach
    void close() {
        client.close();
        taken.forEach(request -> request.kept.forEach(ByteBuf::release));
    }

    /** A request, whose body is kept until the test says otherwise. */
    private static final class Taken implements StreamListener {
        final ServerStream stream;
        final List<ByteBuf> kept = new ArrayList<>();
        final List<String> events = new ArrayList<>();
        int drained;

        Taken(ServerStream stream) {
            this.stream = stream;
        }

        int keptBytes() {
            return kept.stream().mapToInt(ByteBuf::readableBytes).sum();
        }

        void consumeAll() {
            int bytes = keptBytes();
            kept.forEach(ByteBuf::release);
            kept.clear();
            stream.consumed(bytes);
        }

        @Override
        public void onData(ByteBuf data, boolean end) {
            kept.add(data);
            if (end) {
                events.add("end");
            }
        }

        @Override
        public void onTrailers(Fields trailers) {
            events.add("trailers " + trailers.name(0));
        }

        @Override
        public void onReset(Reset reset) {
            events.add(reset.cause() + " " + reset.code());
        }

        @Override
        public void onDrained(int bytes) {
            drained += bytes;
        }
    }

    private static ByteBuf bytes(int count) {
        return Unpooled.wrappedBuffer(new byte[count]);
    }

    private List<String> heard() {
        client.channel.runPendingTasks();
        return client.heard();
    }

    private void respond(int index, int body) {
        taken.get(index).stream.respond(new ResponseHead(200, "", Fields.EMPTY, RequestHead.UNKNOWN), false);
        taken.get(index).stream.data(bytes(body), true);
    }

    @Test
    void writesAWholeAnswerInOneBuffer() {
        client.request(1, true);
        ServerStream stream = taken.getFirst().stream;
        stream.respond(new ResponseHead(200, "", Fields.of("a", "b"), 1000), false);
        stream.data(bytes(1000), false);
        stream.trailers(Fields.of("grpc-status", "0"));
        assertThat(heard())
                .containsExactly(
                        "headers 1 :status=200 content-length=1000 a=b", "data 1 1000", "headers 1 grpc-status=0 end");
        assertThat(client.buffers).isEqualTo(1);
    }

    @Test
    void opensTheConnectionsWindowAtOnceAndAStreamsOnlyWhenItIsRead() {
        client.request(1, false);
        for (int i = 0; i < 4; i++) {
            client.data(1, 16_384, false);
        }
        assertThat(heard()).isEmpty();
        taken.getFirst().consumeAll();
        assertThat(heard()).containsExactly("window 1 65536");
        for (int stream = 3; stream < 3 + 2 * 7; stream += 2) {
            client.request(stream, false);
            for (int i = 0; i < 4; i++) {
                client.data(stream, 16_384, false);
            }
        }
        assertThat(heard())
                .filteredOn(frame -> frame.startsWith("window"))
                .allMatch(frame -> frame.startsWith("window 0 "));
    }

    @Test
    void paddingIsGivenBackThoughNobodyReadsIt() {
        client.request(1, false);
        byte[] padded = new byte[257];
        padded[0] = (byte) 255;
        for (int i = 0; i < 1000; i++) {
            client.frame(Http2Wire.DATA, Http2Wire.PADDED, 1, padded);
            taken.getFirst().consumeAll();
        }
        client.data(1, 0, true);
        assertThat(taken.getFirst().events).containsExactly("end");
    }

    @Test
    void dataThatIsPaddingOnlyCountsAsEmpty() {
        client.request(1, false);
        for (int i = 0; i <= LIMITS.http2().maxEmptyDataFrames(); i++) {
            client.frame(Http2Wire.DATA, Http2Wire.PADDED, 1, 2, 0, 0);
        }
        assertThat(heard()).containsExactly("goaway 1 11");
    }

    @Test
    void streamsThatNobodyReadsDoNotStopOthers() {
        for (int stream = 1; stream < 16; stream += 2) {
            client.request(stream, false);
            for (int i = 0; i < 4; i++) {
                client.data(stream, 16_384, false);
            }
        }
        client.request(101, false);
        for (int i = 0; i < 100; i++) {
            client.data(101, 10_000, false);
            taken.getLast().consumeAll();
        }
        client.data(101, 1, true);
        assertThat(taken.getLast().events).containsExactly("end");
    }

    @Test
    void allStreamsTogetherAreGivenNoMoreThanTheConnectionMayHold() {
        int[] windows = new int[2 * 101];
        int initial = WINDOW;
        for (int count = 1; count <= 100; count++) {
            int stream = 2 * count - 1;
            client.request(stream, false);
            windows[stream] = initial;
            for (String frame : heard()) {
                if (frame.startsWith("setting 4 ")) {
                    int changed = Integer.parseInt(frame.substring(10));
                    for (int other = 1; other <= stream; other += 2) {
                        windows[other] += changed - initial;
                    }
                    initial = changed;
                    client.frame(Http2Wire.SETTINGS, Http2Wire.ACK, 0);
                }
            }
        }
        assertThat(IntStream.of(windows).sum()).isLessThanOrEqualTo(CONNECTION_WINDOW);
        int sent = 0;
        for (int stream = 1; stream < 200; stream += 2) {
            client.data(stream, windows[stream], false);
            sent += windows[stream];
        }
        assertThat(taken.stream().mapToInt(Taken::keptBytes).sum()).isEqualTo(sent);
        assertThat(taken).allMatch(request -> request.events.isEmpty());
        // Even if all are read now, they do not get more than that together.
        taken.forEach(Taken::consumeAll);
        for (String frame : heard()) {
            String[] words = frame.split(" ", -1);
            if (words[0].equals("window") && !words[1].equals("0")) {
                int stream = Integer.parseInt(words[1]);
                windows[stream] += Integer.parseInt(words[2]);
                sent -= initial;
            }
        }
        assertThat(IntStream.of(windows).sum()
                        - IntStream.of(windows).filter(w -> w < 0).sum())
                .isLessThanOrEqualTo(2 * CONNECTION_WINDOW);
    }

    @Test
    void tellsSmallerWindowsWhileManyStreamsAreOpenAndLargerOnesAfterwards() {
        for (int stream = 1; stream < 2 * 9; stream += 2) {
            client.request(stream, false);
        }
        assertThat(heard()).containsExactly("setting 4 16384");
        for (int stream = 19; stream < 2 * 33; stream += 2) {
            client.request(stream, false);
        }
        assertThat(heard()).containsExactly("setting 4 5120");
        for (int i = 0; i < 30; i++) {
            taken.get(i).stream.reset(Reset.NOT_NEEDED);
        }
        client.frame(Http2Wire.SETTINGS, Http2Wire.ACK, 0).frame(Http2Wire.SETTINGS, Http2Wire.ACK, 0);
        connection.sweep(System.nanoTime());
        assertThat(heard()).contains("setting 4 65536");
        for (int i = 0; i < 4; i++) {
            client.data(2 * 33 - 1, 16_384, false);
        }
        assertThat(taken.getLast().keptBytes()).isEqualTo(WINDOW);
    }

    @Test
    void acknowledgesSettingsBeforeItUsesThem() {
        client.setting(Http2Wire.INITIAL_WINDOW_SIZE, 0).request(1, true);
        respond(0, 5);
        heard();
        client.setting(Http2Wire.INITIAL_WINDOW_SIZE, 100);
        assertThat(heard()).containsExactly("settings ack", "data 1 5 end");
    }

    @Test
    void holdsOnlyADefaultWindowForAClientThatNeverAcknowledges() {
        taken.clear();
        Http2ServerConnection other = new Http2ServerConnection(
                (head, end, stream) -> {
                    Taken request = new Taken(stream);
                    taken.add(request);
                    return request;
                },
                LIMITS);
        try (Http2Talk silent = new Http2Talk(other, true, false)) {
            for (int stream = 1; stream <= 9; stream += 2) {
                silent.request(stream, false);
                silent.data(stream, 16_000, false);
            }
            assertThat(silent.heard()).containsExactly("goaway 9 3");
            assertThat(taken.stream().mapToInt(Taken::keptBytes).sum()).isEqualTo(64_000);
        }
    }

    @Test
    void resetsTheStreamThatSendsMoreThanItsWindow() {
        client.request(1, false);
        for (int i = 0; i < 4; i++) {
            client.data(1, 16_384, false);
        }
        client.data(1, 1, false);
        assertThat(heard()).containsExactly("reset 1 3");
        assertThat(taken.getFirst().events).containsExactly("MALFORMED 1");
    }

    @Test
    void sendsNoMoreThanTheWindowsAllow() {
        client.setting(Http2Wire.INITIAL_WINDOW_SIZE, 10).request(1, true);
        heard();
        respond(0, 25);
        assertThat(heard()).containsExactly("headers 1 :status=200", "data 1 10");
        assertThat(taken.getFirst().drained).isEqualTo(10);
        client.number(Http2Wire.WINDOW_UPDATE, 1, 5);
        assertThat(heard()).containsExactly("data 1 5");
        client.setting(Http2Wire.INITIAL_WINDOW_SIZE, 3);
        client.number(Http2Wire.WINDOW_UPDATE, 1, 7);
        assertThat(heard()).containsExactly("settings ack");
        client.number(Http2Wire.WINDOW_UPDATE, 1, 20);
        assertThat(heard()).containsExactly("data 1 10 end");
        assertThat(taken.getFirst().drained).isEqualTo(25);
    }

    @Test
    void streamsTakeTurnsBehindTheConnectionsWindow() {
        for (int stream = 1; stream <= 5; stream += 2) {
            client.request(stream, true);
        }
        client.setting(Http2Wire.INITIAL_WINDOW_SIZE, 1 << 20);
        heard();
        for (int i = 0; i < 3; i++) {
            respond(i, 100_000);
        }
        heard();
        client.number(Http2Wire.WINDOW_UPDATE, 0, 3 * 16_384);
        assertThat(heard()).containsExactly("data 1 16384", "data 3 16384", "data 5 16384");
        client.number(Http2Wire.WINDOW_UPDATE, 0, 1 << 20);
        assertThat(heard()).last().asString().endsWith("end");
        assertThat(taken).allMatch(request -> request.drained == 100_000);
    }

    @Test
    void trailersWaitForTheBodyBeforeThem() {
        client.setting(Http2Wire.INITIAL_WINDOW_SIZE, 0).request(1, true);
        heard();
        ServerStream stream = taken.getFirst().stream;
        stream.respond(new ResponseHead(200, "", Fields.EMPTY, RequestHead.UNKNOWN), false);
        stream.data(bytes(3), false);
        stream.data(bytes(4), false);
        stream.trailers(Fields.of("a", "b"));
        assertThat(heard()).containsExactly("headers 1 :status=200");
        client.number(Http2Wire.WINDOW_UPDATE, 1, 100);
        assertThat(heard()).containsExactly("data 1 7", "headers 1 a=b end");
    }

    @Test
    void anAnswerBeforeTheEndOfTheRequestEndsItWithoutAnError() {
        client.request(1, false);
        client.data(1, 10, false);
        respond(0, 1);
        assertThat(heard()).containsExactly("headers 1 :status=200", "data 1 1 end", "reset 1 0");
        client.data(1, 10_000, false).data(1, 0, true).number(Http2Wire.RST_STREAM, 1, 8);
        assertThat(heard()).isEmpty();
    }

    @Test
    void aBodyMustBeAsLongAsItSays() {
        client.request(1, false, "content-length", "3").data(1, 2, true);
        client.request(3, false, "content-length", "3").data(3, 4, false);
        client.request(5, false, "content-length", "3").data(5, 2, false).headers(5, true, "a", "b");
        client.request(7, false, "content-length", "3").data(7, 3, false).headers(7, true, "a", "b");
        assertThat(heard()).containsExactly("reset 1 1", "reset 3 1", "reset 5 1");
        assertThat(taken.get(3).events).containsExactly("trailers a");
        assertThat(taken.subList(0, 3)).allMatch(request -> request.events.equals(List.of("MALFORMED 1")));
    }

    @Test
    void refusesFieldsThatAreTooLongOrTooMany() {
        client.request(1, true, "x", "b".repeat(9000));
        String[] many = new String[2 * 101];
        for (int i = 0; i < many.length; i += 2) {
            many[i] = "x" + i;
            many[i + 1] = "";
        }
        client.request(3, true, many);
        assertThat(heard())
                .containsExactly(
                        "headers 1 :status=431 content-length=0 x-tulle-reason=malformed end",
                        "headers 3 :status=431 content-length=0 x-tulle-reason=malformed end");
        assertThat(taken).isEmpty();
    }

    @Test
    void aHeaderBlockThatDoesNotEndIsNotWaitedForThoughOtherStreamsLive() {
        client.request(1, false);
        client.frame(Http2Wire.HEADERS, 0, 3, 0x82);
        long now = System.nanoTime();
        connection.sweep(now);
        connection.sweep(now + Duration.ofSeconds(9).toNanos());
        assertThat(heard()).isEmpty();
        connection.sweep(now + Duration.ofSeconds(11).toNanos());
        assertThat(heard()).containsExactly("goaway 1 11");
    }

    @Test
    void resetsAStreamOnWhichNothingMoves() {
        client.request(1, false).request(3, false);
        long now = System.nanoTime();
        connection.sweep(now);
        client.data(3, 1, false);
        connection.sweep(now + Duration.ofMinutes(4).toNanos());
        connection.sweep(now + Duration.ofMinutes(6).toNanos());
        assertThat(heard()).containsExactly("reset 1 8");
        assertThat(taken.getFirst().events).containsExactly("IDLE 8");
    }

    @Test
    void drainsInTwoSteps() {
        client.request(1, true);
        connection.drain();
        assertThat(heard()).containsExactly("goaway 2147483647 0");
        client.request(3, true);
        client.channel.advanceTimeBy(600, java.util.concurrent.TimeUnit.MILLISECONDS);
        client.channel.runScheduledPendingTasks();
        assertThat(heard()).containsExactly("goaway 3 0");
        client.request(5, true);
        assertThat(taken).hasSize(2);
        respond(0, 1);
        respond(1, 1);
        assertThat(heard()).contains("data 1 1 end", "data 3 1 end");
        client.channel.runPendingTasks();
        assertThat(client.channel.isActive()).isFalse();
    }

    @Test
    void tellsEveryStreamWhenTheConnectionIsLost() {
        client.request(1, false).request(3, true);
        client.channel.close();
        client.channel.runPendingTasks();
        assertThat(taken).allMatch(request -> request.events.equals(List.of("LOST 2")));
    }

    @Test
    void framesOfStreamsThatHaveEndedAreToldApart() {
        client.request(5, true);
        respond(0, 1);
        heard();
        client.data(5, 1, false);
        assertThat(heard()).containsExactly("reset 5 5");
        client.request(3, true);
        assertThat(heard()).containsExactly("goaway 5 1");
    }

    @Test
    void headersBehindTheEndOfAStreamEndTheConnection() {
        client.request(5, true);
        respond(0, 1);
        heard();
        client.request(5, true);
        assertThat(heard()).containsExactly("goaway 5 5");
    }
}
