package dev.tulle.proxy.http;

import static dev.tulle.proxy.http.Http2Wire.*;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Cuts the bytes of one HTTP/2 connection into frames and checks all that a frame alone, or its place among header blocks, decides.
 *
 * <p>Bytes of DATA are passed on as they come, without waiting for a long frame to be whole; nothing of an input buffer is kept. Other
 * payloads are collected in arrays that shrink again. After a violation of a stream reading may go on: the frame is skipped. Source:
 * RFC 9113, 4 and 6; RFC 7540, 5.3.1.
 */
final class Http2FrameReader {
    private static final byte[] PREFACE_BYTES = PREFACE.getBytes(StandardCharsets.US_ASCII);

    /** Arrays no longer than this are kept while a connection rests. */
    private static final int KEPT_BYTES = 1024;

    /** Settings of one frame: each may change every stream, and nine are known. */
    private static final int MAX_SETTINGS = 64;

    private static final byte[] NOTHING = {};

    private final Frames frames;
    private final int maxContinuations;
    private final int maxBlockBytes;
    private State state;
    private final byte[] head = new byte[HEAD_BYTES];
    private int filled;
    private boolean anyFrame;
    private int type;
    private int flags;
    private int stream;
    private int length;

    /** Bytes of the payload that are still to come; of DATA without padding. */
    private int left;

    private int padding;
    private boolean dropped;

    /** Bytes of a short DATA frame that came in pieces, in {@link #payload}. */
    private int collected;

    private byte[] payload = NOTHING;
    private int blockStream;
    private boolean blockEnds;
    private int continuations;
    private byte[] block = NOTHING;
    private int blockLength;

    private enum State {
        PREFACE,
        HEAD,
        PAYLOAD,
        PADDING_LENGTH,
        DATA,
        SKIP
    }

    /** Hears frames that are well-formed as such. */
    interface Frames {
        /**
         * A DATA frame begins.
         *
         * @param size its whole payload, as flow control counts it
         * @param content of it without padding; comes by {@link #content}
         * @throws Http2Violation then its content does not come
         */
        void data(int stream, int size, int content, boolean end) throws Http2Violation;

        /** Content of the last DATA frame; given over. {@code last} piece of the frame, which alone may be empty. */
        void content(ByteBuf piece, boolean last) throws Http2Violation;

        /** A whole header block; the array is lent for this call. */
        void headers(int stream, byte[] bytes, int from, int to, boolean end) throws Http2Violation;

        void reset(int stream, int code) throws Http2Violation;

        void setting(int id, long value) throws Http2Violation;

        /** A SETTINGS frame was read to its end, {@code ack} or each setting of it told by {@link #setting}. */
        void settings(boolean ack) throws Http2Violation;

        void ping(boolean ack, long data) throws Http2Violation;

        void goAway(int lastStream, int code) throws Http2Violation;

        void windowUpdate(int stream, int increment) throws Http2Violation;

        /** A PRIORITY frame, or one of a type nobody knows. */
        void ignored(int type) throws Http2Violation;
    }

    /**
     * @param server whether the preface of a client comes first
     * @param maxContinuations CONTINUATION frames of one header block
     * @param maxBlockBytes of one header block, compressed
     */
    Http2FrameReader(Frames frames, boolean server, int maxContinuations, int maxBlockBytes) {
        this.frames = frames;
        this.maxContinuations = maxContinuations;
        this.maxBlockBytes = maxBlockBytes;
        this.state = server ? State.PREFACE : State.HEAD;
    }

    /** Whether a header block, or a frame other than DATA, has begun and not ended. */
    boolean isInsideFrame() {
        return blockStream != 0 || state == State.PAYLOAD || (state == State.HEAD && filled > 0);
    }

    /** Reads all of {@code in}, or up to a violation; what is left may be read on after one of a stream. */
    void read(ByteBuf in) throws Http2Violation {
        boolean more = true;
        while (more) {
            more = switch (state) {
                case PREFACE -> preface(in);
                case HEAD -> head(in);
                case PAYLOAD -> payload(in);
                case PADDING_LENGTH -> paddingLength(in);
                case DATA -> content(in);
                case SKIP -> skip(in);
            };
        }
    }

    private boolean preface(ByteBuf in) throws Http2Violation {
        while (in.isReadable()) {
            if (in.readByte() != PREFACE_BYTES[filled++]) {
                throw Http2Violation.ofConnection(PROTOCOL_ERROR, "this is not the preface of HTTP/2");
            }
            if (filled == PREFACE_BYTES.length) {
                next();
                return true;
            }
        }
        return false;
    }

    private boolean head(ByteBuf in) throws Http2Violation {
        if (filled == 0 && in.readableBytes() >= HEAD_BYTES) {
            long first = in.readLong();
            begin((int) (first >>> 32), (int) first, in.readByte());
            return true;
        }
        int count = Math.min(HEAD_BYTES - filled, in.readableBytes());
        in.readBytes(head, filled, count);
        filled += count;
        if (filled < HEAD_BYTES) {
            return false;
        }
        begin(number(head, 0), number(head, 4), head[8]);
        return true;
    }

    /**
     * A frame begins.
     *
     * @param lengthAndType the first four bytes
     * @param flagsAndStream the four behind them
     */
    private void begin(int lengthAndType, int flagsAndStream, byte last) throws Http2Violation {
        length = lengthAndType >>> 8;
        type = lengthAndType & 0xff;
        flags = flagsAndStream >>> 24;
        stream = (flagsAndStream << 8 | (last & 0xff)) & Integer.MAX_VALUE;
        left = length;
        filled = 0;
        if (length > MAX_PAYLOAD) {
            throw violation(FRAME_SIZE_ERROR, "a frame is longer than was allowed");
        }
        if (!anyFrame) {
            anyFrame = true;
            if (type != SETTINGS || has(ACK)) {
                throw violation(PROTOCOL_ERROR, "the first frame is not SETTINGS");
            }
        }
        if (blockStream != 0 && (type != CONTINUATION || stream != blockStream)) {
            throw violation(PROTOCOL_ERROR, "a frame in the midst of a header block");
        }
        switch (type) {
            case DATA -> {
                onStream();
                if (has(PADDED)) {
                    atLeast(1);
                    state = State.PADDING_LENGTH;
                } else {
                    beginData(0);
                }
                return;
            }
            case HEADERS -> {
                onStream();
                atLeast((has(PADDED) ? 1 : 0) + (has(WITH_PRIORITY) ? 5 : 0));
            }
            case PRIORITY -> {
                onStream();
                if (length != 5) {
                    state = State.SKIP;
                    throw Http2Violation.ofStream(stream, FRAME_SIZE_ERROR, "a PRIORITY frame of a wrong length");
                }
            }
            case RST_STREAM -> {
                onStream();
                exactly(4);
            }
            case SETTINGS -> {
                onConnection();
                if (has(ACK) ? length != 0 : length % 6 != 0) {
                    throw violation(FRAME_SIZE_ERROR, "a SETTINGS frame of a wrong length");
                }
                if (length > 6 * MAX_SETTINGS) {
                    throw violation(ENHANCE_YOUR_CALM, "too many settings in a frame");
                }
            }
            case PUSH_PROMISE -> throw violation(PROTOCOL_ERROR, "a PUSH_PROMISE, which nobody asked for");
            case PING -> {
                onConnection();
                exactly(8);
            }
            case GOAWAY -> {
                onConnection();
                atLeast(8);
            }
            case WINDOW_UPDATE -> exactly(4);
            case CONTINUATION -> {
                if (blockStream == 0) {
                    throw violation(PROTOCOL_ERROR, "a CONTINUATION of nothing");
                }
                if (++continuations > maxContinuations) {
                    throw Http2Violation.tooMuch("max_continuation_frames", "too many CONTINUATION frames");
                }
            }
            default -> {
                state = State.SKIP;
                frames.ignored(type);
                return;
            }
        }
        if (payload.length < length) {
            payload = new byte[Math.max(length, 64)];
        }
        state = State.PAYLOAD;
    }

    private boolean payload(ByteBuf in) throws Http2Violation {
        int count = Math.min(left, in.readableBytes());
        in.readBytes(payload, length - left, count);
        left -= count;
        if (left > 0) {
            return false;
        }
        byte[] whole = payload;
        if (whole.length > KEPT_BYTES) {
            payload = NOTHING;
        }
        next();
        frame(whole);
        return true;
    }

    private void frame(byte[] bytes) throws Http2Violation {
        switch (type) {
            case HEADERS -> {
                int pad = has(PADDED) ? bytes[0] & 0xff : 0;
                int from = (has(PADDED) ? 1 : 0) + (has(WITH_PRIORITY) ? 5 : 0);
                if (from + pad > length) {
                    throw violation(PROTOCOL_ERROR, "more padding than payload");
                }
                if (has(WITH_PRIORITY) && dependency(bytes, from - 5) == stream) {
                    throw violation(PROTOCOL_ERROR, "a stream that depends on itself");
                }
                fragment(bytes, from, length - pad);
            }
            case CONTINUATION -> fragment(bytes, 0, length);
            case PRIORITY -> {
                if (dependency(bytes, 0) == stream) {
                    throw Http2Violation.ofStream(stream, PROTOCOL_ERROR, "a stream that depends on itself");
                }
                frames.ignored(type);
            }
            case RST_STREAM -> frames.reset(stream, number(bytes, 0));
            case SETTINGS -> {
                for (int at = 0; at < length; at += 6) {
                    frames.setting(
                            (bytes[at] & 0xff) << 8 | (bytes[at + 1] & 0xff), number(bytes, at + 2) & 0xffff_ffffL);
                }
                frames.settings(has(ACK));
            }
            case PING -> frames.ping(has(ACK), (long) number(bytes, 0) << 32 | (number(bytes, 4) & 0xffff_ffffL));
            case GOAWAY -> frames.goAway(number(bytes, 0) & Integer.MAX_VALUE, number(bytes, 4));
            case WINDOW_UPDATE -> {
                int increment = number(bytes, 0) & Integer.MAX_VALUE;
                if (increment == 0) {
                    throw stream == 0
                            ? violation(PROTOCOL_ERROR, "a window opened by nothing")
                            : Http2Violation.ofStream(stream, PROTOCOL_ERROR, "a window opened by nothing");
                }
                frames.windowUpdate(stream, increment);
            }
            default -> throw new IllegalStateException("no payload is read of frame type %d".formatted(type));
        }
    }

    private void fragment(byte[] bytes, int from, int to) throws Http2Violation {
        boolean whole = has(END_HEADERS);
        if (type == HEADERS) {
            blockEnds = has(END_STREAM);
            if (whole) {
                frames.headers(stream, bytes, from, to, blockEnds);
                return;
            }
            blockStream = stream;
            blockLength = 0;
            continuations = 0;
        }
        int more = to - from;
        if (blockLength + more > maxBlockBytes) {
            throw Http2Violation.tooMuch("max_header_bytes", "a header block that is too long");
        }
        if (block.length < blockLength + more) {
            block = Arrays.copyOf(block, Math.max(blockLength + more, 2 * block.length));
        }
        System.arraycopy(bytes, from, block, blockLength, more);
        blockLength += more;
        if (whole) {
            byte[] collected = block;
            blockStream = 0;
            block = NOTHING;
            frames.headers(stream, collected, 0, blockLength, blockEnds);
        }
    }

    private boolean paddingLength(ByteBuf in) throws Http2Violation {
        if (!in.isReadable()) {
            return false;
        }
        beginData(1 + in.readUnsignedByte());
        return true;
    }

    /** @param overhead of padding, its length's byte included */
    private void beginData(int overhead) throws Http2Violation {
        if (overhead > length) {
            throw violation(PROTOCOL_ERROR, "more padding than payload");
        }
        left = length - overhead;
        padding = Math.max(0, overhead - 1);
        collected = 0;
        state = State.DATA;
        dropped = true;
        frames.data(stream, length, left, has(END_STREAM));
        dropped = false;
    }

    private boolean content(ByteBuf in) throws Http2Violation {
        int count = Math.min(left, in.readableBytes());
        if (count == 0 && left > 0) {
            return false;
        }
        boolean isShort = !dropped && left + collected <= KEPT_BYTES;
        left -= count;
        boolean last = left == 0;
        if (isShort && (!last || collected > 0)) {
            collect(in, count);
        }
        int whole = collected;
        if (last) {
            left = padding;
            state = State.SKIP;
        }
        if (dropped) {
            in.skipBytes(count);
        } else if (whole == 0) {
            frames.content(count == 0 ? Unpooled.EMPTY_BUFFER : in.readRetainedSlice(count), last);
        } else if (last) {
            frames.content(Unpooled.copiedBuffer(payload, 0, whole), true);
        }
        return true;
    }

    /** Makes one of the pieces of a short frame: who cut a message into frames may have meant it. */
    private void collect(ByteBuf in, int count) {
        if (payload.length < collected + left + count) {
            payload = new byte[KEPT_BYTES];
        }
        in.readBytes(payload, collected, count);
        collected += count;
    }

    private boolean skip(ByteBuf in) {
        int count = Math.min(left, in.readableBytes());
        in.skipBytes(count);
        left -= count;
        if (left > 0) {
            return false;
        }
        next();
        return true;
    }

    private void next() {
        state = State.HEAD;
        filled = 0;
    }

    private boolean has(int flag) {
        return (flags & flag) != 0;
    }

    private void onStream() throws Http2Violation {
        if (stream == 0) {
            throw violation(PROTOCOL_ERROR, "a frame without the stream it belongs to");
        }
    }

    private void onConnection() throws Http2Violation {
        if (stream != 0) {
            throw violation(PROTOCOL_ERROR, "a frame of the connection that names a stream");
        }
    }

    private void exactly(int bytes) throws Http2Violation {
        if (length != bytes) {
            throw violation(FRAME_SIZE_ERROR, "a frame of a wrong length");
        }
    }

    private void atLeast(int bytes) throws Http2Violation {
        if (length < bytes) {
            throw violation(FRAME_SIZE_ERROR, "a frame that is too short");
        }
    }

    private static Http2Violation violation(int code, String detail) {
        return Http2Violation.ofConnection(code, detail);
    }

    private static int dependency(byte[] bytes, int at) {
        return number(bytes, at) & Integer.MAX_VALUE;
    }

    private static int number(byte[] bytes, int at) {
        return (bytes[at] & 0xff) << 24
                | (bytes[at + 1] & 0xff) << 16
                | (bytes[at + 2] & 0xff) << 8
                | (bytes[at + 3] & 0xff);
    }
}
