package dev.tulle.proxy.redirect;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** The programs {@code iptables-save} and {@code iptables-restore} of one family and flavour. */
final class Tools {
    private static final long MOST_SECONDS = 20;
    private static final int MOST_OUTPUT = 1 << 20;
    private static final List<Path> PLACES =
            List.of(Path.of("/usr/sbin"), Path.of("/sbin"), Path.of("/usr/bin"), Path.of("/usr/local/sbin"));

    /** A root file system may be read-only; each of these is often writable all the same. */
    private static final List<Path> LOCK_PLACES = List.of(Path.of("/run"), Path.of("/tmp"), Path.of("/dev/shm"));

    private final Path program;
    private final List<String> name;

    private Tools(Path program, List<String> name) {
        this.program = program;
        this.name = name;
    }

    /** A program said no; the message is what it wrote. */
    static final class Refused extends Exception {
        Refused(String words) {
            super(words);
        }

        String words() {
            return String.valueOf(getMessage());
        }
    }

    /** Those of a family and flavour; empty where they are not installed. */
    static Optional<Tools> of(Family family, Flavour flavour) {
        String tool = family.tool() + "-" + flavour.word();
        Optional<Path> byName = find(tool + "-restore");
        if (byName.isPresent() && find(tool + "-save").isPresent()) {
            return Optional.of(new Tools(byName.get().resolveSibling(tool), List.of()));
        }
        // The one program behind all these names, where an image has no links to it.
        return find("xtables-" + flavour.word() + "-multi").map(multi -> new Tools(multi, List.of(family.tool())));
    }

    private static Optional<Path> find(String program) {
        return PLACES.stream()
                .map(place -> place.resolve(program))
                .filter(Files::isExecutable)
                .findFirst();
    }

    /** The nat table as it is. */
    String save() throws Refused {
        return run("save", "", "-t", "nat");
    }

    /** Takes the text whole or not at all. */
    void restore(String rules) throws Refused {
        // Another program may hold the lock of ip_tables; nf_tables has none and ignores the wait.
        run("restore", rules, "--noflush", "-w", "5");
    }

    private String run(String what, String input, String... flags) throws Refused {
        List<String> command = new ArrayList<>();
        if (name.isEmpty()) {
            command.add(program + "-" + what);
        } else {
            command.add(program.toString());
            command.add(name.getFirst() + "-" + what);
        }
        command.addAll(List.of(flags));
        try {
            ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(what.equals("restore"));
            Map<String, String> environment = builder.environment();
            LOCK_PLACES.stream()
                    .filter(Files::isWritable)
                    .findFirst()
                    .ifPresent(place -> environment.putIfAbsent(
                            "XTABLES_LOCKFILE", place.resolve("xtables.lock").toString()));
            Process process = builder.start();
            try {
                process.outputWriter(StandardCharsets.US_ASCII).append(input).close();
            } catch (IOException e) {
                // It ended before it had read all: what it says about that is read below.
            }
            byte[] output = process.getInputStream().readNBytes(MOST_OUTPUT);
            byte[] errors =
                    what.equals("restore") ? output : process.getErrorStream().readNBytes(MOST_OUTPUT);
            if (!process.waitFor(MOST_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new Refused("%s did not end in %d s".formatted(String.join(" ", command), MOST_SECONDS));
            }
            if (process.exitValue() != 0) {
                throw new Refused("%s: %s"
                        .formatted(
                                command.getFirst(),
                                new String(errors, StandardCharsets.UTF_8)
                                        .strip()
                                        .replace('\n', ' ')));
            }
            return new String(output, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new Refused(String.valueOf(e.getMessage()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Refused("interrupted");
        }
    }
}
