package dev.tulle.controller.discovery;

import io.vertx.core.buffer.Buffer;
import java.util.function.Consumer;

/** Cuts a stream of bytes into lines, none longer than a bound. Used on one thread. */
final class Lines {
    private final int maxBytes;
    private Buffer rest = Buffer.buffer();

    Lines(int maxBytes) {
        this.maxBytes = maxBytes;
    }

    /**
     * Takes the next bytes and gives every line that they end, without its line end; empty lines are left out.
     *
     * @return false when a line is longer than the bound: nothing more may be read then
     */
    boolean take(Buffer bytes, Consumer<byte[]> line) {
        int from = 0;
        int length = bytes.length();
        for (int i = 0; i < length; i++) {
            if (bytes.getByte(i) == '\n') {
                if (rest.length() + i - from > maxBytes) {
                    return false;
                }
                rest.appendBuffer(bytes, from, i - from);
                byte[] whole = rest.getBytes();
                rest = Buffer.buffer();
                from = i + 1;
                if (whole.length > 0) {
                    line.accept(whole);
                }
            }
        }
        if (rest.length() + length - from > maxBytes) {
            return false;
        }
        rest.appendBuffer(bytes, from, length - from);
        return true;
    }
}
