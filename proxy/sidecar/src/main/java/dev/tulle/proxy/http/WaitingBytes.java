package dev.tulle.proxy.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * Bytes of a body that wait, in order. On one event loop.
 *
 * <p>A short piece is copied, beyond some pieces to the end of the one before: else a peer that sends single bytes would make each hold a buffer
 * object and the whole of what was read with it. How many bytes may wait is for the owner to bound.
 */
public final class WaitingBytes {
    /** Pieces shorter than this are gathered in buffers of this size. */
    static final int GATHERED_BYTES = 2048;

    private final int separate;
    private final Deque<ByteBuf> pieces = new ArrayDeque<>(2);

    /** The last piece, where it is ours to add to. */
    private @Nullable ByteBuf gathering;

    /**
     * Nothing yet.
     *
     * @param separate so many pieces stay apart, for a peer may have cut its message with a purpose; from then on short ones are joined
     */
    public WaitingBytes(int separate) {
        this.separate = separate;
    }

    /** Adds a piece, which is given over; an empty one stays only where nothing else waits. */
    public void add(ByteBuf data) {
        int length = data.readableBytes();
        if (length == 0 && !pieces.isEmpty()) {
            data.release();
        } else if (length == 0 || length >= GATHERED_BYTES) {
            gathering = null;
            pieces.add(data);
        } else {
            ByteBuf last = gathering;
            if (last == null || last.writableBytes() < length) {
                boolean alone = pieces.size() < separate;
                int size = alone ? length : GATHERED_BYTES;
                last = ByteBufAllocator.DEFAULT.ioBuffer(size, size);
                gathering = alone ? null : last;
                pieces.add(last);
            }
            last.writeBytes(data);
            data.release();
        }
    }

    /** Takes over everything that waits there, behind what waits here. */
    public void addAll(WaitingBytes others) {
        pieces.addAll(others.pieces);
        gathering = others.gathering;
        others.pieces.clear();
        others.gathering = null;
    }

    public boolean isEmpty() {
        return pieces.isEmpty();
    }

    /** Whether the first piece is the last one too. */
    boolean isOnePiece() {
        return pieces.size() == 1;
    }

    /** The first piece, which stays; what is read of it is gone. */
    ByteBuf first() {
        return pieces.element();
    }

    /** The first piece, given over. */
    public ByteBuf remove() {
        ByteBuf first = pieces.remove();
        if (pieces.isEmpty()) {
            gathering = null;
        }
        return first;
    }

    /** Forgets everything. */
    public void release() {
        pieces.forEach(ByteBuf::release);
        pieces.clear();
        gathering = null;
    }
}
