package dev.tulle.quickstart;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SortedMap;

/** Finds out which ports are taken, and by whom. */
final class PortOwners {
    private static final String LISTENING = "0A";

    private PortOwners() {}

    /** One line that names the first taken port of {@code wanted} and its owner; empty when all are free. */
    static Optional<String> complaint(SortedMap<Integer, String> wanted) {
        List<Integer> taken = new ArrayList<>();
        for (int port : wanted.keySet()) {
            if (!isFree(port)) {
                taken.add(port);
            }
        }
        if (taken.isEmpty()) {
            return Optional.empty();
        }
        int first = taken.getFirst();
        return Optional.of("port %d (%s) is taken by %s%s: end that, or choose other ports with --port-base"
                .formatted(
                        first,
                        wanted.get(first),
                        owner(first),
                        taken.size() == 1 ? "" : ", and %d more ports are taken".formatted(taken.size() - 1)));
    }

    static boolean isFree(int port) {
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    /** The process that listens on {@code port}, for people; needs Linux and one's own process to be exact. */
    static String owner(int port) {
        try {
            for (String table : List.of("/proc/net/tcp", "/proc/net/tcp6")) {
                Optional<String> inode = inode(Path.of(table), port);
                if (inode.isPresent()) {
                    return processWith("socket:[" + inode.get() + "]").orElse("a process of another user");
                }
            }
        } catch (IOException e) {
            return "another process";
        }
        return "another process";
    }

    private static Optional<String> inode(Path table, int port) throws IOException {
        if (!Files.isReadable(table)) {
            return Optional.empty();
        }
        String suffix = String.format(Locale.ROOT, ":%04X", port);
        for (String line : Files.readAllLines(table, StandardCharsets.US_ASCII)) {
            String[] fields = line.strip().split("\\s+", -1);
            if (fields.length > 9 && fields[1].endsWith(suffix) && fields[3].equals(LISTENING)) {
                return Optional.of(fields[9]);
            }
        }
        return Optional.empty();
    }

    private static Optional<String> processWith(String link) throws IOException {
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
            for (Path process : processes) {
                if (holds(process.resolve("fd"), link)) {
                    String name = Files.readString(process.resolve("comm")).strip();
                    return Optional.of("%s (pid %s%s)".formatted(name, process.getFileName(), command(process)));
                }
            }
        }
        return Optional.empty();
    }

    private static boolean holds(Path descriptors, String link) {
        try (DirectoryStream<Path> open = Files.newDirectoryStream(descriptors)) {
            for (Path descriptor : open) {
                if (Files.readSymbolicLink(descriptor).toString().equals(link)) {
                    return true;
                }
            }
        } catch (IOException e) {
            // Another user's process, or one that has just ended.
        }
        return false;
    }

    /** What a java process runs, since {@code java} alone tells little: {@code , quarkus-run.jar}. */
    private static String command(Path process) throws IOException {
        List<String> words =
                List.of(Files.readString(process.resolve("cmdline")).split("\0", -1));
        int jar = words.indexOf("-jar");
        return jar < 0 || jar + 1 >= words.size()
                ? ""
                : ", " + Path.of(words.get(jar + 1)).getFileName();
    }
}
