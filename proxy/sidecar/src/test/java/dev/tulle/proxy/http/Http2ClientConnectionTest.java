package dev.tulle.proxy.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.proxy.bootstrap.Limits;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Requests on the connection that sends them, frame by frame. */
class Http2ClientConnectionTest {
    private static final RequestHead GET =
            new RequestHead("GET", "http", "a", "/", Fields.of("x", "y"), RequestHead.UNKNOWN, false);

    private final Owner owner = new Owner();
    private final Http2ClientConnection connection = new Http2ClientConnection(owner, Limits.defaults(), limit -> {});
    private final Http2Talk server = new Http2Talk(connection, false);

    @AfterEach
    void close() {
        server.close();
    }

    private static final class Owner implements ConnectionOwner {
        int rooms;
        boolean unusable;

        @Override
        public void onRoom(HttpConnection connection) {
            rooms++;
        }

        @Override
        public void onUnusable(HttpConnection connection) {
            unusable = true;
        }
    }

    private static final class Answer implements ResponseListener {
        final List<String> events = new ArrayList<>();

        @Override
        public void onInform(ResponseHead head) {
            events.add("inform " + head.status());
        }

        @Override
        public void onResponse(ResponseHead head, boolean end) {
            events.add("head " + head.status() + (end ? " end" : ""));
        }

        @Override
        public void onData(ByteBuf data, boolean end) {
            events.add("data " + data.readableBytes() + (end ? " end" : ""));
            data.release();
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
        public void onDrained(int bytes) {}
    }

    private Answer open(RequestHead head) {
        Answer answer = new Answer();
        connection.open(head, true, answer);
        return answer;
    }

    private List<String> heard() {
        server.channel.runPendingTasks();
        return server.heard();
    }

    @Test
    void sendsARequestAndHearsItsAnswer() {
        Answer answer = open(GET);
        assertThat(heard()).containsExactly("headers 1 :method=GET :scheme=http :authority=a :path=/ x=y end");
        server.headers(1, false, ":status", "103");
        server.headers(1, false, ":status", "200").data(1, 5, false).headers(1, true, "grpc-status", "0");
        assertThat(answer.events).containsExactly("inform 103", "head 200", "data 5", "trailers grpc-status");
        assertThat(connection.isIdle()).isTrue();
    }

    @Test
    void asksTheServerToWaitNoLongerThanItTakesStreams() {
        server.setting(Http2Wire.MAX_CONCURRENT_STREAMS, 2);
        open(GET);
        assertThat(connection.hasRoom()).isTrue();
        open(GET);
        assertThat(connection.hasRoom()).isFalse();
        int before = owner.rooms;
        server.headers(1, true, ":status", "200");
        server.channel.runPendingTasks();
        assertThat(owner.rooms).isEqualTo(before + 1);
    }

    @Test
    void whatTheServerHasNotSeenMayBeSentAgain() {
        Answer seen = open(GET);
        Answer unseen = open(GET);
        server.frame(Http2Wire.GOAWAY, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0);
        assertThat(unseen.events).containsExactly("UNPROCESSED 7");
        assertThat(owner.unusable).isTrue();
        server.headers(1, true, ":status", "200");
        assertThat(seen.events).containsExactly("head 200 end");
        server.channel.runPendingTasks();
        assertThat(server.channel.isActive()).isFalse();
    }

    @Test
    void aRefusedStreamMayBeSentAgainAndALostOneOnlyIfThatIsSafe() {
        Answer refused = open(GET);
        Answer lost = open(GET);
        server.number(Http2Wire.RST_STREAM, 1, Http2Wire.REFUSED_STREAM);
        server.channel.close();
        server.channel.runPendingTasks();
        assertThat(refused.events).containsExactly("UNPROCESSED 7");
        assertThat(lost.events).containsExactly("STALE 2");
    }

    @Test
    void anAnswerMustBeAsLongAsItSays() {
        RequestHead head = new RequestHead("HEAD", "http", "a", "/", Fields.EMPTY, RequestHead.UNKNOWN, false);
        Answer[] answers = {open(GET), open(GET), open(GET), open(head), open(GET), open(head)};
        heard();
        server.headers(1, false, ":status", "200", "content-length", "3").data(1, 2, true);
        server.headers(3, false, ":status", "200", "content-length", "3").data(3, 4, true);
        server.headers(5, true, ":status", "200", "content-length", "3");
        server.headers(7, true, ":status", "200", "content-length", "3");
        server.headers(9, true, ":status", "304", "content-length", "3");
        server.headers(11, false, ":status", "200", "content-length", "3").data(11, 3, true);
        assertThat(heard()).containsExactly("reset 1 1", "reset 3 1", "reset 5 1", "reset 11 1");
        assertThat(answers[0].events).containsExactly("head 200", "MALFORMED 1");
        assertThat(answers[3].events).containsExactly("head 200 end");
        assertThat(answers[4].events).containsExactly("head 304 end");
    }

    @Test
    void dataBeforeTheHeadOfAnAnswerIsAnError() {
        Answer answer = open(GET);
        heard();
        server.data(1, 3, false);
        assertThat(heard()).containsExactly("reset 1 1");
        assertThat(answer.events).containsExactly("MALFORMED 1");
    }

    @Test
    void framesThatWereUnderWayWhenAStreamWasGivenUpMeanNothing() {
        Answer answer = new Answer();
        ClientStream stream = connection.open(GET, true, answer);
        heard();
        stream.reset(Reset.CANCELLED);
        assertThat(heard()).containsExactly("reset 1 8");
        server.headers(1, false, ":status", "200", "x", "y")
                .data(1, 1000, false)
                .number(Http2Wire.WINDOW_UPDATE, 1, 5);
        server.headers(1, true, "x", "y");
        assertThat(heard()).isEmpty();
        assertThat(answer.events).isEmpty();
    }

    @Test
    void aServerOpensNoStreams() {
        open(GET);
        heard();
        server.headers(2, true, ":status", "200");
        assertThat(heard()).containsExactly("goaway 0 1");
    }

    @Test
    void whatIsSentAfterTheEndOfAStreamIsReleased() {
        Answer answer = new Answer();
        ClientStream stream = connection.open(GET, true, answer);
        server.headers(1, true, ":status", "200");
        ByteBuf late = Unpooled.buffer().writeByte(1);
        stream.data(late, true);
        assertThat(late.refCnt()).isZero();
    }
}
