package dev.tulle.conformance.bench;

import dev.tulle.conformance.mesh.RawConnection;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;

/**
 * Stands between two proxies and reads what they say before the encryption begins: which key exchange they agree on, and whether an
 * earlier session goes on. TLS 1.3, RFC 8446 4.1.3: the ServerHello is in clear.
 */
final class Tap implements AutoCloseable {
    private static final int RECORD_HANDSHAKE = 22;
    private static final int SERVER_HELLO = 2;
    private static final int PRE_SHARED_KEY = 41;
    private static final int KEY_SHARE = 51;
    private static final int BLOCK = 16 << 10;

    private final ServerSocket server;
    private volatile Hello last = new Hello(false, 0);

    /**
     * What a server answered.
     *
     * @param resumed whether it took the session that was offered
     * @param group of the key exchange, RFC 8446 4.2.7
     */
    record Hello(boolean resumed, int group) {
        String groupName() {
            return switch (group) {
                case 0x0017 -> "P-256";
                case 0x001d -> "X25519";
                case 0x11ec -> "X25519MLKEM768";
                default -> "group 0x%04x".formatted(group);
            };
        }
    }

    /** Takes a port of its own; passes nothing on yet. */
    Tap() throws IOException {
        server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    }

    /** From now on passes everything on to a port of the loopback address. */
    void passTo(int next) {
        Thread.ofPlatform().daemon().start(() -> accept(next));
    }

    int port() {
        return server.getLocalPort();
    }

    /** Of the connection that was opened last. */
    Hello last() {
        return last;
    }

    private void accept(int next) {
        try {
            while (true) {
                Socket from = server.accept();
                Thread.ofPlatform().daemon().start(() -> join(from, next));
            }
        } catch (IOException e) {
            // Closed.
        }
    }

    private void join(Socket from, int next) {
        try (from;
                Socket to = RawConnection.dial(next)) {
            Thread answers = Thread.ofPlatform().daemon().start(() -> pass(to, from, true));
            pass(from, to, false);
            Threads.join(answers);
        } catch (IOException e) {
            // The second proxy does not listen yet; the first one will try again.
        }
    }

    private void pass(Socket from, Socket to, boolean hello) {
        try (from;
                to) {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            if (hello) {
                readHello(new DataInputStream(in), out);
            }
            byte[] block = new byte[BLOCK];
            for (int count = in.read(block); count >= 0; count = in.read(block)) {
                out.write(block, 0, count);
            }
        } catch (IOException e) {
            // One side went away.
        }
    }

    /** The first record; a server that wants another key exchange says it in its first and is asked again, which is not read. */
    private void readHello(DataInputStream in, OutputStream out) throws IOException {
        byte[] head = in.readNBytes(5);
        byte[] record = in.readNBytes(head.length < 5 ? 0 : (head[3] & 0xff) << 8 | (head[4] & 0xff));
        if (head.length == 5 && head[0] == RECORD_HANDSHAKE && record.length > 0 && record[0] == SERVER_HELLO) {
            last = parse(record);
        }
        out.write(head);
        out.write(record);
    }

    private static Hello parse(byte[] hello) {
        // Message head 4, version 2, random 32, session id, cipher suite 2, compression 1, length of the extensions 2.
        int at = 4 + 2 + 32;
        at += 1 + (hello[at] & 0xff) + 2 + 1;
        int end = at + 2 + number(hello, at);
        at += 2;
        boolean resumed = false;
        int group = 0;
        while (at + 4 <= end) {
            int type = number(hello, at);
            if (type == PRE_SHARED_KEY) {
                resumed = true;
            } else if (type == KEY_SHARE) {
                group = number(hello, at + 4);
            }
            at += 4 + number(hello, at + 2);
        }
        return new Hello(resumed, group);
    }

    private static int number(byte[] bytes, int at) {
        return (bytes[at] & 0xff) << 8 | (bytes[at + 1] & 0xff);
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}
