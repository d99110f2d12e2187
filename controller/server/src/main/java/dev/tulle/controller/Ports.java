package dev.tulle.controller;

import dev.tulle.proxy.model.HostPort;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/** Whether a port can be had, and who has it otherwise, as far as {@code /proc} tells. */
final class Ports {
    private static final String LISTENING = "0A";
    private static final int LOCAL_ADDRESS = 1;
    private static final int STATE = 3;
    private static final int INODE = 9;

    private Ports() {}

    /** Why we cannot listen there, one sentence; empty when we can, or when any free port will do. */
    static Optional<String> obstacle(HostPort wanted, String option) {
        if (wanted.port() == 0) {
            return Optional.empty();
        }
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(InetAddress.getByName(wanted.host()), wanted.port()));
            return Optional.empty();
        } catch (UnknownHostException e) {
            return Optional.of("%s %s: there is no such host".formatted(option, wanted));
        } catch (IOException e) {
            Optional<String> holder = holder(wanted.port());
            return Optional.of(
                    holder.isPresent()
                            ? "port %d is taken by %s; stop it, or choose another with %s HOST:PORT"
                                    .formatted(wanted.port(), holder.get(), option)
                            : "cannot listen on %s (%s); choose another with %s HOST:PORT"
                                    .formatted(wanted, e.getMessage(), option));
        }
    }

    /** The process that listens on a TCP port, such as {@code process 4711 (java -jar shop.jar)}. */
    static Optional<String> holder(int port) {
        Set<String> sockets = new HashSet<>();
        for (String table : List.of("/proc/net/tcp", "/proc/net/tcp6")) {
            try {
                for (String line : Files.readAllLines(Path.of(table))) {
                    String[] columns = line.strip().split("\\s+", -1);
                    if (columns.length > INODE
                            && columns[STATE].equals(LISTENING)
                            && columns[LOCAL_ADDRESS].endsWith(String.format(Locale.ROOT, ":%04X", port))) {
                        sockets.add("socket:[" + columns[INODE] + "]");
                    }
                }
            } catch (IOException e) {
                // No /proc, or none of this family.
            }
        }
        return sockets.isEmpty() ? Optional.empty() : processOf(sockets);
    }

    private static Optional<String> processOf(Set<String> sockets) {
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
            for (Path process : processes) {
                if (holds(process, sockets)) {
                    return Optional.of("process %s (%s)".formatted(process.getFileName(), commandOf(process)));
                }
            }
        } catch (IOException e) {
            // No /proc.
        }
        return Optional.of("a process of another user");
    }

    private static boolean holds(Path process, Set<String> sockets) {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(process.resolve("fd"))) {
            for (Path file : files) {
                if (Files.isSymbolicLink(file)
                        && sockets.contains(Files.readSymbolicLink(file).toString())) {
                    return true;
                }
            }
        } catch (IOException e) {
            // Gone meanwhile, or another user's.
        }
        return false;
    }

    private static String commandOf(Path process) {
        try {
            String command = Files.readString(process.resolve("cmdline"))
                    .replace('\0', ' ')
                    .strip();
            return command.length() <= 80 ? command : command.substring(0, 77) + "...";
        } catch (IOException e) {
            return "?";
        }
    }
}
