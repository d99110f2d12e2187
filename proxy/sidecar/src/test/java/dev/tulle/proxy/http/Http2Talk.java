package dev.tulle.proxy.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandler;
import io.netty.channel.embedded.EmbeddedChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** The other side of one HTTP/2 connection, frame by frame: writes what it is told and writes down what it hears. */
final class Http2Talk implements AutoCloseable {
    final EmbeddedChannel channel;

    /** Buffers that the connection has written since they were last looked at. */
    int buffers;

    private final HpackEncoder encoder = new HpackEncoder();
    private final HpackDecoder decoder = new HpackDecoder(1 << 20, 1 << 20);
    private final List<String> heard = new ArrayList<>();
    private final Http2FrameReader reader;

    /** @param server whether the connection under test is a server's */
    Http2Talk(ChannelHandler connection, boolean server) {
        this(connection, server, true);
    }

    /** @param acknowledges whether it says that it knows the connection's settings */
    Http2Talk(ChannelHandler connection, boolean server, boolean acknowledges) {
        reader = new Http2FrameReader(new Listener(), !server, 100, 1 << 20);
        channel = new EmbeddedChannel();
        channel.config().setAllocator(io.netty.buffer.UnpooledByteBufAllocator.DEFAULT);
        channel.pipeline().addLast(connection);
        channel.runPendingTasks();
        if (server) {
            raw(Http2Wire.PREFACE.getBytes(StandardCharsets.US_ASCII));
        }
        frame(Http2Wire.SETTINGS, 0, 0);
        if (acknowledges) {
            frame(Http2Wire.SETTINGS, Http2Wire.ACK, 0);
        }
        heard();
    }

    Http2Talk raw(byte[] bytes) {
        channel.writeInbound(Unpooled.wrappedBuffer(bytes));
        channel.runPendingTasks();
        return this;
    }

    Http2Talk frame(int type, int flags, int stream, int... payload) {
        byte[] bytes = new byte[payload.length];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) payload[i];
        }
        return frame(type, flags, stream, bytes);
    }

    Http2Talk frame(int type, int flags, int stream, byte[] payload) {
        ByteBuf frame = Unpooled.buffer();
        frame.writeMedium(payload.length)
                .writeByte(type)
                .writeByte(flags)
                .writeInt(stream)
                .writeBytes(payload);
        byte[] bytes = new byte[frame.readableBytes()];
        frame.readBytes(bytes);
        return raw(bytes);
    }

    Http2Talk number(int type, int stream, int value) {
        return frame(type, 0, stream, value >>> 24, value >>> 16, value >>> 8, value);
    }

    Http2Talk setting(int id, int value) {
        return frame(Http2Wire.SETTINGS, 0, 0, 0, id, value >>> 24, value >>> 16, value >>> 8, value);
    }

    Http2Talk data(int stream, int length, boolean end) {
        return frame(Http2Wire.DATA, end ? Http2Wire.END_STREAM : 0, stream, new byte[length]);
    }

    Http2Talk headers(int stream, boolean end, String... namesAndValues) {
        encoder.begin();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            encoder.field(namesAndValues[i], namesAndValues[i + 1]);
        }
        byte[] block = java.util.Arrays.copyOf(encoder.bytes(), encoder.length());
        return frame(Http2Wire.HEADERS, Http2Wire.END_HEADERS | (end ? Http2Wire.END_STREAM : 0), stream, block);
    }

    Http2Talk request(int stream, boolean end, String... more) {
        String[] all = new String[8 + more.length];
        System.arraycopy(
                new String[] {":method", end ? "GET" : "POST", ":scheme", "http", ":authority", "a", ":path", "/"},
                0,
                all,
                0,
                8);
        System.arraycopy(more, 0, all, 8, more.length);
        return headers(stream, end, all);
    }

    /** What was heard since the last call, a frame a line. */
    List<String> heard() {
        buffers = 0;
        for (ByteBuf out = channel.readOutbound(); out != null; out = channel.readOutbound()) {
            buffers++;
            try {
                reader.read(out);
            } catch (Http2Violation e) {
                throw new AssertionError("the connection broke HTTP/2: " + e.getMessage(), e);
            } finally {
                out.release();
            }
        }
        List<String> since = List.copyOf(heard);
        heard.clear();
        return since;
    }

    @Override
    public void close() {
        channel.finishAndReleaseAll();
    }

    private final class Listener implements Http2FrameReader.Frames {
        private String data = "";

        @Override
        public void data(int stream, int size, int content, boolean end) {
            data = "data %d %d%s".formatted(stream, content, end ? " end" : "");
        }

        @Override
        public void content(ByteBuf piece, boolean last) {
            piece.release();
            if (last) {
                heard.add(data);
            }
        }

        @Override
        public void headers(int stream, byte[] bytes, int from, int to, boolean end) throws Http2Violation {
            decoder.decode(bytes, from, to);
            StringBuilder text = new StringBuilder("headers " + stream);
            for (int i = 0; i < decoder.count(); i++) {
                text.append(' ').append(decoder.field(i).name).append('=').append(decoder.field(i).value);
            }
            heard.add(text.append(end ? " end" : "").toString());
        }

        @Override
        public void reset(int stream, int code) {
            heard.add("reset %d %d".formatted(stream, code));
        }

        @Override
        public void setting(int id, long value) {
            heard.add("setting %d %d".formatted(id, value));
        }

        @Override
        public void settings(boolean ack) {
            if (ack) {
                heard.add("settings ack");
            }
        }

        @Override
        public void ping(boolean ack, long number) {
            heard.add("ping " + ack);
        }

        @Override
        public void goAway(int lastStream, int code) {
            heard.add("goaway %d %d".formatted(lastStream, code));
        }

        @Override
        public void windowUpdate(int stream, int increment) {
            heard.add("window %d %d".formatted(stream, increment));
        }

        @Override
        public void ignored(int type) {
            heard.add("ignored " + type);
        }
    }
}
