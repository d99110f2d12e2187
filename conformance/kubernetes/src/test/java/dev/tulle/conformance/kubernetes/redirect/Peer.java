package dev.tulle.conformance.kubernetes.redirect;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;

/**
 * A program beside the test, in a namespace and group of its own: {@code serve WORD@PORT...} tells every caller the word of the port that it
 * reached; {@code dial HOST PORT [FROM]} prints what it is told.
 */
final class Peer {
    private static final int MILLIS = 5000;

    private Peer() {}

    public static void main(String[] args) throws IOException, InterruptedException {
        if (args[0].equals("serve")) {
            List<ServerSocket> sockets = new ArrayList<>();
            for (int i = 1; i < args.length; i++) {
                String[] each = args[i].split("@", 2);
                ServerSocket socket = new ServerSocket(Integer.parseInt(each[1]));
                sockets.add(socket);
                Thread.ofPlatform().start(() -> serve(socket, each[0]));
            }
            System.out.println("serving " + sockets.size());
        } else {
            try (Socket socket = new Socket()) {
                if (args.length > 3) {
                    socket.bind(new InetSocketAddress(InetAddress.getByName(args[3]), 0));
                }
                socket.setSoTimeout(MILLIS);
                socket.connect(
                        new InetSocketAddress(InetAddress.getByName(args[1]), Integer.parseInt(args[2])), MILLIS);
                System.out.println(new String(socket.getInputStream().readAllBytes(), US_ASCII));
            } catch (IOException e) {
                System.out.println(e.getMessage());
            }
        }
    }

    private static void serve(ServerSocket socket, String word) {
        while (true) {
            try (Socket caller = socket.accept()) {
                caller.getOutputStream().write(word.getBytes(US_ASCII));
            } catch (IOException e) {
                // This caller is gone; the next one is not.
            }
        }
    }
}
