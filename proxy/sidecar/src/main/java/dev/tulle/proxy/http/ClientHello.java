package dev.tulle.proxy.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The first message of a TLS connection, as far as it tells what the client wants. Source: RFC 8446, 4.1.2 and 5.1; RFC 7301.
 *
 * @param serverName of the SNI extension in lower case; empty without one
 * @param protocols of the ALPN extension, in the client's order; empty without one
 */
public record ClientHello(String serverName, List<String> protocols) {
    private static final int HANDSHAKE_RECORD = 22;
    private static final int CLIENT_HELLO = 1;
    private static final int RECORD_HEADER = 5;
    private static final int MAX_RECORD = 1 << 14;
    private static final int SERVER_NAME = 0;
    private static final int ALPN = 16;

    public ClientHello {
        protocols = List.copyOf(protocols);
    }

    /** What the bytes at the beginning of a connection are. */
    public sealed interface Read {
        /** The message is not whole yet. */
        record More() implements Read {}

        /** Not a ClientHello, or one that is broken or too long. */
        record Other() implements Read {}

        /** A whole ClientHello. */
        record Whole(ClientHello hello) implements Read {}
    }

    /**
     * Reads without moving the reader index.
     *
     * @param maxBytes a longer message is {@link Read.Other}
     */
    public static Read read(ByteBuf in, int maxBytes) {
        ByteBuf message = Unpooled.buffer(Math.min(512, maxBytes + 4), maxBytes + 4);
        int at = in.readerIndex();
        int needed = 4;
        while (message.readableBytes() < needed) {
            int available = in.writerIndex() - at;
            if ((available >= 1 && in.getByte(at) != HANDSHAKE_RECORD) || (available >= 2 && in.getByte(at + 1) != 3)) {
                return new Read.Other();
            }
            if (available < RECORD_HEADER) {
                return new Read.More();
            }
            int length = in.getUnsignedShort(at + 3);
            if (length == 0 || length > MAX_RECORD) {
                return new Read.Other();
            }
            int take = Math.min(Math.min(length, available - RECORD_HEADER), message.maxWritableBytes());
            message.writeBytes(in, at + RECORD_HEADER, take);
            if (message.readableBytes() >= 1 && message.getByte(0) != CLIENT_HELLO) {
                return new Read.Other();
            }
            if (message.readableBytes() >= 4) {
                needed = 4 + message.getUnsignedMedium(1);
                if (needed > maxBytes) {
                    return new Read.Other();
                }
            }
            if (message.readableBytes() < needed && take < length) {
                return new Read.More();
            }
            at += RECORD_HEADER + length;
        }
        try {
            return new Read.Whole(parse(message.slice(4, needed - 4)));
        } catch (IndexOutOfBoundsException e) {
            return new Read.Other();
        }
    }

    private static ClientHello parse(ByteBuf body) {
        body.skipBytes(2 + 32);
        body.skipBytes(body.readUnsignedByte());
        body.skipBytes(body.readUnsignedShort());
        body.skipBytes(body.readUnsignedByte());
        String serverName = "";
        List<String> protocols = new ArrayList<>(4);
        if (!body.isReadable()) {
            return new ClientHello(serverName, protocols);
        }
        ByteBuf extensions = body.readSlice(body.readUnsignedShort());
        while (extensions.isReadable()) {
            int type = extensions.readUnsignedShort();
            ByteBuf extension = extensions.readSlice(extensions.readUnsignedShort());
            if (type == SERVER_NAME && extension.isReadable()) {
                ByteBuf names = extension.readSlice(extension.readUnsignedShort());
                if (names.readUnsignedByte() == 0) {
                    serverName = names.readSlice(names.readUnsignedShort())
                            .toString(StandardCharsets.ISO_8859_1)
                            .toLowerCase(Locale.ROOT);
                }
            } else if (type == ALPN) {
                ByteBuf names = extension.readSlice(extension.readUnsignedShort());
                while (names.isReadable()) {
                    protocols.add(names.readSlice(names.readUnsignedByte()).toString(StandardCharsets.ISO_8859_1));
                }
            }
        }
        return new ClientHello(serverName, protocols);
    }
}
