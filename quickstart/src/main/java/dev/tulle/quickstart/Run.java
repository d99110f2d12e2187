package dev.tulle.quickstart;

import dev.tulle.quickstart.Shop.Instance;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/** {@code quickstart/run}: brings the mesh up, prints the tour, starts again what was killed, and takes all down at the end. */
final class Run {
    private static final Duration RESTART_DELAY = Duration.ofSeconds(15);

    private Run() {}

    /**
     * What was asked for.
     *
     * @param top the source tree
     * @param portBase 0 lets {@code --check} choose
     * @param work the work folder; absent for the usual one
     */
    record Options(Path top, boolean check, boolean keep, int portBase, Optional<Path> work) {
        static Options parse(List<String> words) {
            Path top = Path.of("").toAbsolutePath();
            boolean check = false;
            boolean keep = false;
            int portBase = 0;
            Optional<Path> work = Optional.empty();
            for (int i = 0; i < words.size(); i++) {
                String word = words.get(i);
                switch (word) {
                    case "--check" -> check = true;
                    case "--keep" -> keep = true;
                    case "--top", "--port-base", "--work" -> {
                        if (i + 1 == words.size()) {
                            throw new IllegalArgumentException(word + " needs a value");
                        }
                        String value = words.get(++i);
                        switch (word) {
                            case "--top" -> top = Path.of(value);
                            case "--work" -> work = Optional.of(Path.of(value));
                            default -> portBase = number(value);
                        }
                    }
                    default -> throw new IllegalArgumentException("unknown option '%s'; see --help".formatted(word));
                }
            }
            if (check && keep) {
                throw new IllegalArgumentException("--check starts afresh: leave --keep out");
            }
            return new Options(top, check, keep, portBase, work);
        }

        private static int number(String value) {
            try {
                return Integer.parseInt(value);
            } catch (NumberFormatException e) {
                throw new IllegalArgumentException("--port-base is a number, not '%s'".formatted(value), e);
            }
        }
    }

    /** The exit code: 0 ended on request or all passed, 1 something did not start or show, 2 wrong usage. */
    static int run(List<String> words) throws InterruptedException {
        Options options = Options.parse(words);
        try {
            return options.check() ? CheckRun.run(options) : live(options);
        } catch (WorkFolder.InUse e) {
            System.err.println("quickstart: " + e.getMessage());
        } catch (IOException e) {
            System.err.println("quickstart: " + e);
        }
        return 1;
    }

    private static int live(Options options) throws IOException, InterruptedException, WorkFolder.InUse {
        Ports ports = new Ports(options.portBase() == 0 ? Ports.DEFAULT_BASE : options.portBase());
        WorkFolder folder =
                WorkFolder.take(options.work().orElse(options.top().resolve("quickstart/.tulle")), options.keep());
        Optional<String> complaint = PortOwners.complaint(ports.all());
        if (complaint.isPresent()) {
            System.err.println("quickstart: " + complaint.get());
            return 1;
        }
        folder.copyMesh(options.top().resolve("quickstart/mesh"), ports);
        CountDownLatch over = new CountDownLatch(1);
        Keeper keeper = new Keeper();
        LivingMesh mesh = new LivingMesh(options.top(), folder, ports, keeper::ended);
        keeper.mesh = mesh;
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            System.out.println("\nending ...");
            keeper.close();
            mesh.close();
            System.out.println("all processes have ended");
            over.countDown();
        }));
        try {
            long start = System.nanoTime();
            mesh.start(stage -> System.out.printf("%5.1f s  %s%n", (System.nanoTime() - start) / 1e9, stage));
        } catch (LivingMesh.NotStarted e) {
            System.err.println("quickstart: " + e.getMessage());
            return 1;
        }
        keeper.up = true;
        System.out.println(Tour.text(
                shown(folder.root()),
                ports,
                shown(options.top().resolve("install/tulle")).toString()));
        over.await();
        return 0;
    }

    /** As the user would write it: relative to where they stand, when it lies below. */
    private static Path shown(Path path) {
        Path here = Path.of("").toAbsolutePath();
        Path absolute = path.toAbsolutePath();
        return absolute.startsWith(here) ? here.relativize(absolute) : absolute;
    }

    /** Starts again what ended; an instance whole, application and proxy, with a fresh token. */
    private static final class Keeper implements AutoCloseable {
        private final Set<String> waiting = new HashSet<>();
        private volatile @Nullable LivingMesh mesh;
        private volatile boolean up;

        synchronized void ended(LivingMesh.Ended process) {
            LivingMesh living = mesh;
            if (!up || living == null) {
                return;
            }
            String owner = process.name().replaceAll("\\.(app|proxy)$", "");
            System.out.printf("%s ended (exit code %d)%n", process.name(), process.exitCode());
            if (waiting.add(owner)) {
                Thread.ofVirtual().name("keeper").start(() -> again(living, owner));
            }
        }

        private void again(LivingMesh living, String owner) {
            try {
                Thread.sleep(RESTART_DELAY);
                synchronized (this) {
                    waiting.remove(owner);
                    if (!up) {
                        return;
                    }
                }
                if (owner.equals("controller")) {
                    living.startController();
                } else if (owner.equals("load")) {
                    living.startLoad();
                } else {
                    for (Instance instance : Shop.INSTANCES) {
                        if (instance.name().equals(owner)) {
                            startMissingHalves(living, instance);
                        }
                    }
                }
                System.out.printf("%s is started again%n", owner);
            } catch (IOException | LivingMesh.NotStarted e) {
                System.out.printf("%s cannot be started again: %s%n", owner, e.getMessage());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        private static void startMissingHalves(LivingMesh living, Instance instance)
                throws IOException, InterruptedException, LivingMesh.NotStarted {
            if (living.processes().find(LivingMesh.applicationOf(instance)).isEmpty()) {
                living.startApplication(instance);
            }
            if (living.processes().find(LivingMesh.proxyOf(instance)).isEmpty()) {
                living.makeTokens(List.of(instance));
                living.startProxy(instance);
            }
        }

        @Override
        public void close() {
            up = false;
        }
    }
}
