package dev.tulle.cli;

import dev.tulle.cli.ControllerApi.NoAnswer;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A way to the controller in a cluster, by {@code kubectl port-forward}, for as long as one command runs.
 *
 * <p>So whoever asks needs no more than the right to forward ports in {@code tulle-system}. It ends with {@link #close}, and with this process
 * whatever becomes of it, as far as a process can see to that.
 */
final class PortForward implements AutoCloseable {
    /** Which pod answers is for the Service to say: it names the leader. */
    static final List<String> KUBECTL = List.of(
            "kubectl",
            "--namespace=tulle-system",
            "port-forward",
            "--address=127.0.0.1",
            "service/tulle-controller",
            ":15880");

    private static final Pattern FORWARDING = Pattern.compile("Forwarding from 127\\.0\\.0\\.1:(\\d+) -> \\d+");
    private static final int SECONDS = 20;
    private static final int ENOUGH_TEXT = 2000;

    private final Process process;
    private final Thread atExit;
    private final URI address;

    private PortForward(Process process, Thread atExit, URI address) {
        this.process = process;
        this.atExit = atExit;
        this.address = address;
    }

    /**
     * Opens it.
     *
     * @param command writes the line that kubectl writes, with the port on this machine
     * @throws NoAnswer with what the command said, if there is no way
     */
    static PortForward open(List<String> command) throws NoAnswer {
        Process process;
        try {
            process = new ProcessBuilder(command).redirectErrorStream(true).start();
        } catch (IOException e) {
            throw new NoAnswer(
                    "kubectl cannot be run (%s)".formatted(e.getMessage()),
                    "install it, or name the controller's address with --server");
        }
        Thread atExit = new Thread(process::destroyForcibly, "tulle-end-port-forward");
        Runtime.getRuntime().addShutdownHook(atExit);
        PortForward opened = null;
        try {
            opened = new PortForward(process, atExit, URI.create("http://127.0.0.1:" + port(process)));
            return opened;
        } finally {
            if (opened == null) {
                end(process, atExit);
            }
        }
    }

    /** Where the controller answers now. */
    URI address() {
        return address;
    }

    @Override
    public void close() {
        end(process, atExit);
    }

    private static void end(Process process, Thread atExit) {
        process.destroyForcibly();
        try {
            Runtime.getRuntime().removeShutdownHook(atExit);
        } catch (IllegalStateException e) {
            // We are being shut down, and so is it.
        }
    }

    private static int port(Process process) throws NoAnswer {
        StringBuilder said = new StringBuilder();
        CompletableFuture<Integer> port = new CompletableFuture<>();
        Thread.ofVirtual().name("tulle-port-forward").start(() -> read(process, said, port));
        try {
            return port.get(SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException | ExecutionException e) {
            String text;
            synchronized (said) {
                text = said.toString();
            }
            throw new NoAnswer(
                    "no way to the controller by 'kubectl -n tulle-system port-forward' (%s)"
                            .formatted(
                                    text.isBlank()
                                            ? "it said nothing in %d s".formatted(SECONDS)
                                            : Kubectl.sentence(text)),
                    cure(text));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new NoAnswer("interrupted", "");
        }
    }

    private static String cure(String said) {
        if (said.contains("NotFound")) {
            return "install Tulle there (kubectl apply --server-side -f install/tulle.yaml), or choose its cluster with KUBECONFIG";
        }
        if (said.contains("Forbidden")) {
            return "ask for the right to get Services and pods and to create pods/portforward in namespace tulle-system, or name the controller's address with --server";
        }
        if (said.contains("no running pods") || said.contains("pod is not running") || said.contains("waiting for")) {
            return "no controller runs just now: kubectl -n tulle-system get pods";
        }
        return "choose its cluster with KUBECONFIG, or name the controller's address with --server";
    }

    /** Reads to the end, so that the process never waits for us. */
    private static void read(Process process, StringBuilder said, CompletableFuture<Integer> port) {
        try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                Matcher forwarding = FORWARDING.matcher(line);
                if (forwarding.find()) {
                    port.complete(Integer.parseInt(forwarding.group(1)));
                }
                synchronized (said) {
                    if (said.length() < ENOUGH_TEXT) {
                        said.append(line).append('\n');
                    }
                }
            }
            port.completeExceptionally(new IOException("it ended"));
        } catch (IOException e) {
            port.completeExceptionally(e);
        }
    }
}
