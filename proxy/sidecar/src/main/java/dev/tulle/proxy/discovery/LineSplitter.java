package dev.tulle.proxy.discovery;

import io.netty.buffer.ByteBuf;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;

/** Cuts a stream of bytes into lines of bounded length; a longer one is skipped to its end and told once. One thread. */
final class LineSplitter {
    /** Who gets the lines. */
    interface Lines {
        void line(byte[] line);

        void tooLong();
    }

    /** Above it the buffer of a line is given back when the line is done. */
    private static final int KEEP_BYTES = 64 * 1024;

    private final int maxBytes;
    private final Lines to;
    private ByteArrayOutputStream begun = new ByteArrayOutputStream();
    private boolean skipping;

    LineSplitter(int maxBytes, Lines to) {
        this.maxBytes = maxBytes;
        this.to = to;
    }

    /** Takes all readable bytes; does not release the buffer. */
    void feed(ByteBuf bytes) {
        while (bytes.isReadable()) {
            int length = bytes.bytesBefore((byte) '\n');
            boolean whole = length >= 0;
            int count = whole ? length : bytes.readableBytes();
            if (!skipping && begun.size() + count > maxBytes) {
                skipping = true;
                begun = new ByteArrayOutputStream();
                to.tooLong();
            }
            if (skipping) {
                bytes.skipBytes(count);
            } else {
                byte[] part = new byte[count];
                bytes.readBytes(part);
                begun.writeBytes(part);
            }
            if (whole) {
                bytes.skipBytes(1);
                if (!skipping) {
                    emit();
                }
                skipping = false;
            }
        }
    }

    private void emit() {
        byte[] line = begun.toByteArray();
        if (line.length > KEEP_BYTES) {
            begun = new ByteArrayOutputStream();
        } else {
            begun.reset();
        }
        int end = line.length > 0 && line[line.length - 1] == '\r' ? line.length - 1 : line.length;
        if (end > 0) {
            to.line(end == line.length ? line : Arrays.copyOf(line, end));
        }
    }
}
