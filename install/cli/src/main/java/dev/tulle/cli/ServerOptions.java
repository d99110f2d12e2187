package dev.tulle.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import picocli.CommandLine.Option;

/** The options of every verb that asks the controller. */
final class ServerOptions {
    /** How an answer is written. */
    enum Output {
        table,
        json
    }

    @Option(
            names = "--server",
            paramLabel = "URL",
            defaultValue = "${env:TULLE_SERVER:-http://127.0.0.1:15880}",
            description = "the controller's HTTP address (default: $$TULLE_SERVER, else http://127.0.0.1:15880)")
    URI server = URI.create("http://127.0.0.1:15880");

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FORMAT",
            defaultValue = "table",
            description = "table or json (default: table)")
    Output output = Output.table;

    ControllerApi api() {
        return new ControllerApi(server);
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
