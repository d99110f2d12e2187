package dev.tulle.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The options of every verb that asks the controller. */
final class ServerOptions {
    private static final URI LOCAL = URI.create("http://127.0.0.1:15880");

    /** How an answer is written. */
    enum Output {
        table,
        json
    }

    @Option(
            names = "--server",
            paramLabel = "URL",
            defaultValue = "${env:TULLE_SERVER}",
            description =
                    "the controller's HTTP address (default: $$TULLE_SERVER; else, with $$KUBECONFIG or as a plugin of kubectl, "
                            + "that of the cluster, by kubectl port-forward; else http://127.0.0.1:15880)")
    private Optional<URI> server = Optional.empty();

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FORMAT",
            defaultValue = "table",
            description = "table or json (default: table)")
    Output output = Output.table;

    /**
     * A way to the controller, to be closed.
     *
     * @throws ControllerApi.NoAnswer when there is none; that it answers is not known yet
     */
    ControllerApi api() throws ControllerApi.NoAnswer {
        if (server.isPresent()) {
            return new ControllerApi(
                    server.get(), "start one with 'tulle controller', or name it with --server or TULLE_SERVER");
        }
        return isInCluster(System.getenv(), System.getProperty("tulle.invoked-as", "tulle"))
                ? ControllerApi.through(PortForward.open(PortForward.KUBECTL))
                : new ControllerApi(
                        LOCAL,
                        "start one with 'tulle controller', or name it with --server or TULLE_SERVER; for that of a cluster set KUBECONFIG, or call this kubectl-tulle");
    }

    /** Whether nobody who says nothing else can mean the controller on this machine. */
    static boolean isInCluster(Map<String, String> environment, String invokedAs) {
        return invokedAs.startsWith("kubectl")
                || !environment.getOrDefault("KUBECONFIG", "").isEmpty();
    }

    boolean json() {
        return output == Output.json;
    }

    static String pretty(JsonNode value) {
        try {
            return new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree that was read cannot be written", e);
        }
    }
}
