package dev.tulle.conformance.bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.StringWriter;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What was measured, each number a median, with the machine it was measured on.
 *
 * @param machine processor, kernel, JVM and the like
 */
record Results(Map<String, String> machine, List<Start> starts, List<Path> paths) {

    /**
     * One sidecar, alone.
     *
     * @param firstRequestSeconds from the start of its process to the first answered request
     * @param residentMB resident memory when idle after that request
     * @param proportionalMB the same with shared pages divided among their users
     */
    record Start(String mode, double firstRequestSeconds, double residentMB, double proportionalMB) {}

    /**
     * Two sidecars on the way of a request, beside the direct way.
     *
     * @param unit of the rates
     * @param cpuMicros processor time of both sidecars together, for a request or for a MB
     * @param directP99Millis NaN where the load generator does not tell
     */
    record Path(
            String name,
            String unit,
            double direct,
            double meshed,
            double cpuMicros,
            double directP99Millis,
            double meshedP99Millis) {}

    /** Two tables for people. */
    String markdown() {
        StringBuilder text = new StringBuilder();
        text.append("Machine: %s; %s processors, %s GiB, Linux %s, Java %s\n\n"
                .formatted(
                        machine.get("processor"),
                        machine.get("processors"),
                        machine.get("memoryGiB"),
                        machine.get("kernel"),
                        machine.get("java")));
        text.append(
                "| one sidecar | to the first request | resident, idle | proportional share |\n|---|---|---|---|\n");
        for (Start start : starts) {
            text.append("| %s | %s s | %s MB | %s MB |\n"
                    .formatted(
                            start.mode(),
                            number("%.2f", start.firstRequestSeconds()),
                            number("%.0f", start.residentMB()),
                            number("%.0f", start.proportionalMB())));
        }
        text.append("""

                | two sidecars, mutual TLS | direct | through both | ratio | CPU of both | p99 direct | p99 through |
                |---|---|---|---|---|---|---|
                """);
        for (Path path : paths) {
            text.append("| %s | %s %s | %s %s | %s | %s us per %s | %s | %s |\n"
                    .formatted(
                            path.name(),
                            number("%,.0f", path.direct()),
                            path.unit(),
                            number("%,.0f", path.meshed()),
                            path.unit(),
                            number("%.2f", path.meshed() / path.direct()),
                            number("%.0f", path.cpuMicros()),
                            path.unit().equals("MB/s") ? "MB" : "request",
                            milliseconds(path.directP99Millis()),
                            milliseconds(path.meshedP99Millis())));
        }
        return text.toString();
    }

    /** The same for programs. */
    String json() throws IOException {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text).useDefaultPrettyPrinter()) {
            json.writeStartObject();
            json.writeObjectFieldStart("machine");
            for (Map.Entry<String, String> entry : machine.entrySet()) {
                json.writeStringField(entry.getKey(), entry.getValue());
            }
            json.writeEndObject();
            json.writeArrayFieldStart("starts");
            for (Start start : starts) {
                json.writeStartObject();
                json.writeStringField("mode", start.mode());
                json.writeNumberField("firstRequestSeconds", start.firstRequestSeconds());
                json.writeNumberField("residentMB", start.residentMB());
                json.writeNumberField("proportionalMB", start.proportionalMB());
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeArrayFieldStart("paths");
            for (Path path : paths) {
                json.writeStartObject();
                json.writeStringField("name", path.name());
                json.writeStringField("unit", path.unit());
                json.writeNumberField("direct", path.direct());
                json.writeNumberField("meshed", path.meshed());
                json.writeNumberField("cpuMicros", path.cpuMicros());
                if (!Double.isNaN(path.directP99Millis())) {
                    json.writeNumberField("directP99Millis", path.directP99Millis());
                    json.writeNumberField("meshedP99Millis", path.meshedP99Millis());
                }
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeEndObject();
        }
        return text + "\n";
    }

    private static String milliseconds(double value) {
        return Double.isNaN(value) ? "" : number("%.1f", value) + " ms";
    }

    private static String number(String format, double value) {
        return String.format(Locale.ROOT, format, value);
    }
}
