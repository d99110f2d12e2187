package dev.tulle.proxy.http;

import static dev.tulle.proxy.http.Http2Wire.*;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.ssl.SslHandler;

/**
 * Gathers the frames that one round of the event loop writes to a connection into few buffers, so that TLS makes few records of them
 * and the socket gets one call. Source: RFC 9113, 6.
 */
final class Http2Output {
    /** What one TLS record takes. */
    private static final int GATHERED = 16_384;

    /** Under TLS all payload is copied once anyhow; without it only what is shorter than this. */
    private static final int COPIED = 2048;

    /** Room for less than this behind other frames is not worth a frame of DATA. */
    private static final int SMALL = 512;

    private final ChannelHandlerContext context;
    private final boolean secure;
    private ByteBuf gathered;
    private boolean any;
    private int guess = SMALL;
    private int written;

    Http2Output(ChannelHandlerContext context) {
        this.context = context;
        this.secure = context.pipeline().get(SslHandler.class) != null;
        this.gathered = context.alloc().buffer(0, 0);
    }

    /** Bytes given to the channel since the last {@link #flush}. */
    int written() {
        return written;
    }

    /** The longest payload that a frame of DATA should have now. */
    int dataRoom() {
        if (!secure) {
            return MAX_PAYLOAD;
        }
        int room = GATHERED - (any ? gathered.readableBytes() : 0) - HEAD_BYTES;
        return room < SMALL ? GATHERED - HEAD_BYTES : room;
    }

    /** Writes {@code length} bytes of {@code data}, which is given over when they are all it has. */
    void data(int stream, ByteBuf data, int length, boolean end) {
        boolean all = length == data.readableBytes();
        if (secure || length <= COPIED) {
            head(length, DATA, end ? END_STREAM : 0, stream, length).writeBytes(data, length);
            if (all) {
                data.release();
            }
        } else {
            head(length, DATA, end ? END_STREAM : 0, stream, 0);
            hand();
            write(all ? data : data.readRetainedSlice(length));
        }
    }

    /** Writes a header block, in as many frames as it needs. */
    void headers(int stream, HpackEncoder block, boolean end) {
        byte[] bytes = block.bytes();
        int length = block.length();
        int first = Math.min(length, MAX_PAYLOAD);
        int flags = (end ? END_STREAM : 0) | (first == length ? END_HEADERS : 0);
        head(first, HEADERS, flags, stream, first).writeBytes(bytes, 0, first);
        for (int from = first; from < length; from += MAX_PAYLOAD) {
            int next = Math.min(length - from, MAX_PAYLOAD);
            head(next, CONTINUATION, from + next == length ? END_HEADERS : 0, stream, next)
                    .writeBytes(bytes, from, next);
        }
    }

    /** Writes SETTINGS of alternating ids and values. */
    void settings(int... idsAndValues) {
        ByteBuf out = head(3 * idsAndValues.length, SETTINGS, 0, 0, 3 * idsAndValues.length);
        for (int i = 0; i < idsAndValues.length; i += 2) {
            out.writeShort(idsAndValues[i]).writeInt(idsAndValues[i + 1]);
        }
    }

    void settingsAck() {
        head(0, SETTINGS, ACK, 0, 0);
    }

    void pingAck(long data) {
        head(8, PING, ACK, 0, 8).writeLong(data);
    }

    void reset(int stream, int code) {
        head(4, RST_STREAM, 0, stream, 4).writeInt(code);
    }

    void windowUpdate(int stream, int increment) {
        head(4, WINDOW_UPDATE, 0, stream, 4).writeInt(increment);
    }

    void goAway(int lastStream, int code) {
        head(8, GOAWAY, 0, 0, 8).writeInt(lastStream).writeInt(code);
    }

    /** Writes bytes that are no frame. */
    void raw(String ascii) {
        ByteBuf out = room(ascii.length());
        for (int i = 0; i < ascii.length(); i++) {
            out.writeByte(ascii.charAt(i));
        }
    }

    void flush() {
        hand();
        written = 0;
        context.flush();
    }

    /** Drops what was not given to the channel. */
    void close() {
        if (any) {
            any = false;
            gathered.release();
        }
    }

    /** @param payload bytes of it that follow in the same buffer */
    private ByteBuf head(int length, int type, int flags, int stream, int payload) {
        ByteBuf out = room(HEAD_BYTES + payload);
        out.writeLong((long) length << 40 | (long) type << 32 | (long) flags << 24 | stream >>> 8);
        out.writeByte(stream);
        return out;
    }

    private ByteBuf room(int bytes) {
        if (any && gathered.readableBytes() + bytes > GATHERED) {
            hand();
        }
        if (!any) {
            gathered = context.alloc().ioBuffer(Math.max(guess, bytes));
            any = true;
        }
        return gathered;
    }

    private void hand() {
        if (any) {
            any = false;
            int bytes = gathered.readableBytes();
            guess = Math.min(GATHERED, Math.max(bytes, guess - (guess - SMALL) / 8));
            write(gathered);
        }
    }

    private void write(ByteBuf out) {
        written += out.readableBytes();
        context.write(out, context.voidPromise());
    }
}
