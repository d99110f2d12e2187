package dev.tulle.proxy.http;

import dev.tulle.proxy.bootstrap.Limits;
import dev.tulle.proxy.http.Http1Heads.Framing;
import io.netty.buffer.ByteBuf;
import io.netty.util.concurrent.FastThreadLocal;

/**
 * Cuts the bytes of one direction of an HTTP/1.1 connection into heads, bodies and trailers.
 *
 * <p>The owner pulls: {@link #next} until it says {@link Step#MORE}. After {@link Step#HEAD} the owner reads the head in
 * {@link #scratch()} and says by {@link #body} what follows; after {@link Step#END} it asks for the next head by {@link #expectHead}.
 * Until then no byte is consumed. Holds no buffer.
 */
final class Http1Decoder {
    private static final FastThreadLocal<byte[]> SCRATCH = new FastThreadLocal<>() {
        @Override
        protected byte[] initialValue() {
            return new byte[64 << 10];
        }
    };

    private final Limits.Http limits;
    private final boolean server;
    private Phase phase = Phase.HEAD;
    private int scanned;
    private int lineStart;
    private int firstLine;
    private int lines;
    private int headLength;
    private long remaining;
    private Fields trailers = Fields.EMPTY;

    /** @param server whether messages are requests */
    Http1Decoder(Limits.Http limits, boolean server) {
        if (limits.maxRequestLineBytes() + limits.maxHeaderBytes() + 4 > SCRATCH.get().length
                || limits.maxTrailerBytes() + 4 > SCRATCH.get().length) {
            throw new IllegalArgumentException("heads of %d and %d bytes do not fit into %d"
                    .formatted(limits.maxRequestLineBytes(), limits.maxHeaderBytes(), SCRATCH.get().length));
        }
        this.limits = limits;
        this.server = server;
    }

    /** What {@link #next} found. */
    enum Step {
        /** Nothing whole; come back with more bytes. */
        MORE,
        /** A head: {@link #scratch()}, {@link #headLength()}. */
        HEAD,
        /** Body bytes. */
        DATA,
        /** The message has ended: {@link #trailers()}. */
        END
    }

    private enum Phase {
        HEAD,
        LENGTH,
        CHUNK_SIZE,
        CHUNK_DATA,
        CHUNK_END,
        TRAILERS,
        UNTIL_CLOSE,
        DONE
    }

    /** Begins with a new message. */
    void expectHead() {
        phase = Phase.HEAD;
        startLines();
    }

    /** Says how the body behind the head is delimited. */
    void body(Framing framing, long length) {
        remaining = length;
        phase = switch (framing) {
            case NONE -> Phase.DONE;
            case LENGTH -> Phase.LENGTH;
            case CHUNKED -> Phase.CHUNK_SIZE;
            case UNTIL_CLOSE -> Phase.UNTIL_CLOSE;
        };
        startLines();
    }

    /** Whether a head has begun but not ended. */
    boolean insideHead() {
        return phase == Phase.HEAD && scanned > 0;
    }

    boolean untilClose() {
        return phase == Phase.UNTIL_CLOSE;
    }

    byte[] scratch() {
        return SCRATCH.get();
    }

    int headLength() {
        return headLength;
    }

    Fields trailers() {
        return trailers;
    }

    /** The next step; at {@link Step#DATA} the bytes have been given to {@code read}, and if they are the last no END follows. */
    Step next(ByteBuf in, DataReader read) throws MalformedMessage {
        while (true) {
            switch (phase) {
                case HEAD -> {
                    if (!scanLines(in, limits.maxHeaderFields(), limits.maxHeaderFieldBytes(), true)) {
                        return Step.MORE;
                    }
                    return Step.HEAD;
                }
                case LENGTH, CHUNK_DATA -> {
                    if (!in.isReadable()) {
                        return Step.MORE;
                    }
                    int length = (int) Math.min(remaining, in.readableBytes());
                    remaining -= length;
                    boolean last = phase == Phase.LENGTH && remaining == 0;
                    if (remaining == 0) {
                        phase = phase == Phase.LENGTH ? Phase.DONE : Phase.CHUNK_END;
                    }
                    read.data(in.readRetainedSlice(length), last);
                    return Step.DATA;
                }
                case UNTIL_CLOSE -> {
                    if (!in.isReadable()) {
                        return Step.MORE;
                    }
                    read.data(in.readRetainedSlice(in.readableBytes()), false);
                    return Step.DATA;
                }
                case CHUNK_SIZE -> {
                    if (!chunkSize(in)) {
                        return Step.MORE;
                    }
                }
                case CHUNK_END -> {
                    if (in.readableBytes() < 2) {
                        return Step.MORE;
                    }
                    if (in.readByte() != '\r' || in.readByte() != '\n') {
                        throw MalformedMessage.badRequest("a chunk is longer than its size says");
                    }
                    phase = Phase.CHUNK_SIZE;
                }
                case TRAILERS -> {
                    if (!scanLines(in, limits.maxTrailerFields(), limits.maxTrailerBytes(), false)) {
                        return Step.MORE;
                    }
                    trailers = headLength == 0
                            ? Fields.EMPTY
                            : Http1Heads.trailers(scratch(), headLength, limits.maxTrailerFields());
                    phase = Phase.DONE;
                    return Step.END;
                }
                case DONE -> {
                    return Step.MORE;
                }
            }
        }
    }

    /** Takes body bytes. */
    interface DataReader {
        /** {@code data} is given over. */
        void data(ByteBuf data, boolean last);
    }

    private void startLines() {
        scanned = 0;
        lineStart = 0;
        firstLine = 0;
        lines = 0;
    }

    /** Looks for the empty line; when found the lines before it are in the scratch array. */
    private boolean scanLines(ByteBuf in, int maxFields, int maxFieldBytes, boolean head) throws MalformedMessage {
        int base = in.readerIndex();
        while (true) {
            int found = in.indexOf(base + scanned, in.writerIndex(), (byte) '\n');
            int lineFeed = found < 0 ? in.writerIndex() - base : found - base;
            int lineLength = lineFeed - lineStart - (found < 0 ? 0 : 1);
            boolean startLine = head && lines == 0;
            if (lineLength > (startLine ? limits.maxRequestLineBytes() : maxFieldBytes)) {
                throw new MalformedMessage(startLine ? 414 : 431, "a line of the head is too long");
            }
            if (lineFeed - firstLine > (head && lines > 0 ? limits.maxHeaderBytes() : Integer.MAX_VALUE)
                    || (!head && lineFeed > limits.maxTrailerBytes())) {
                throw new MalformedMessage(431, "the header fields are too large together");
            }
            if (lines > maxFields + (head ? 1 : 0)) {
                throw new MalformedMessage(431, "more than %d header fields".formatted(maxFields));
            }
            if (found < 0) {
                scanned = lineFeed;
                return false;
            }
            if (lineLength < 0 || in.getByte(found - 1) != '\r') {
                throw MalformedMessage.badRequest("an LF without CR");
            }
            scanned = lineFeed + 1;
            if (lineLength == 0 && startLine) {
                if (firstLine != 0 || !server) {
                    throw MalformedMessage.badRequest("empty lines before the message");
                }
                // One empty line before a request is forgiven. Source: RFC 9112, 2.2.
                in.readerIndex(base + scanned);
                base = in.readerIndex();
                startLines();
                firstLine = -1;
                continue;
            }
            if (lineLength == 0) {
                headLength = lineStart;
                in.readBytes(scratch(), 0, headLength).skipBytes(2);
                startLines();
                return true;
            }
            lineStart = scanned;
            lines++;
            if (startLine) {
                firstLine = scanned;
            }
        }
    }

    private boolean chunkSize(ByteBuf in) throws MalformedMessage {
        int max = limits.maxChunkLineBytes();
        int limit = Math.min(in.writerIndex(), in.readerIndex() + max + 2);
        int lineFeed = in.indexOf(in.readerIndex(), limit, (byte) '\n');
        if (lineFeed < 0) {
            if (in.readableBytes() >= max + 2) {
                throw MalformedMessage.badRequest("a chunk size line is longer than %d bytes".formatted(max));
            }
            return false;
        }
        int end = lineFeed - 1;
        int at = in.readerIndex();
        if (end < at || in.getByte(end) != '\r') {
            throw MalformedMessage.badRequest("an LF without CR in a chunk size");
        }
        long size = 0;
        int digits = 0;
        while (at < end) {
            byte character = in.getByte(at);
            int digit = character < 0 ? -1 : Character.digit(character, 16);
            if (digit < 0) {
                break;
            }
            if (++digits > 15) {
                throw MalformedMessage.badRequest("a chunk size of more than 15 digits");
            }
            size = (size << 4) | digit;
            at++;
        }
        if (digits == 0) {
            throw MalformedMessage.badRequest("a chunk without a size");
        }
        int extension = at;
        while (extension < end && (in.getByte(extension) == ' ' || in.getByte(extension) == '\t')) {
            extension++;
        }
        if (at < end && (extension == end || in.getByte(extension) != ';')) {
            throw MalformedMessage.badRequest("a chunk size is followed by something that is no extension");
        }
        for (int i = extension; i < end; i++) {
            // Readers differ about where a quoted extension ends (CVE-2026-33870), and nobody sends one.
            if (!Http1Text.isText(in.getByte(i)) || in.getByte(i) == '"') {
                throw MalformedMessage.badRequest("a chunk extension has quotes or control characters");
            }
        }
        in.readerIndex(lineFeed + 1);
        remaining = size;
        startLines();
        phase = size == 0 ? Phase.TRAILERS : Phase.CHUNK_DATA;
        return true;
    }
}
