package dev.tulle.proxy.guard;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.tulle.proxy.model.DestinationKey;
import dev.tulle.proxy.model.Resilience;
import dev.tulle.proxy.resilience.Ejections;
import dev.tulle.proxy.resilience.FaultPlan;
import dev.tulle.proxy.resilience.Slots;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/** What resilience does at this moment, for people: who is left out, how full limits are. */
public final class LiveState {
    private static final JsonFactory FACTORY = new JsonFactory();

    private LiveState() {}

    /** One JSON object; destinations without a policy are not in it. */
    public static String of(Guards guards, PortRates rates) {
        StringWriter text = new StringWriter();
        try (JsonGenerator out = FACTORY.createGenerator(text)) {
            out.writeStartObject();
            out.writeArrayFieldStart("destinations");
            List<Map.Entry<DestinationKey, DestinationState>> states = guards.states().entrySet().stream()
                    .filter(entry -> !entry.getValue().policy().equals(Resilience.NONE))
                    .sorted(Comparator.comparing(entry -> entry.getKey().toString()))
                    .toList();
            for (Map.Entry<DestinationKey, DestinationState> entry : states) {
                write(out, entry.getKey(), entry.getValue());
            }
            out.writeEndArray();
            out.writeArrayFieldStart("rateLimits");
            for (Map.Entry<Integer, Integer> port : rates.callers().entrySet()) {
                out.writeStartObject();
                out.writeNumberField("port", port.getKey());
                out.writeNumberField("callers", port.getValue());
                out.writeEndObject();
            }
            out.writeEndArray();
            out.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory", e);
        }
        return text.toString();
    }

    private static void write(JsonGenerator out, DestinationKey key, DestinationState state) throws IOException {
        out.writeStartObject();
        out.writeStringField("key", key.toString());
        out.writeStringField("service", state.service());
        slots(out, "requests", state.requests());
        slots(out, "pending", state.pending());
        slots(out, "connections", state.connections());
        out.writeArrayFieldStart("ejected");
        for (Map.Entry<String, Ejections> cluster : state.ejections().entrySet()) {
            for (Ejections.Out ejected : cluster.getValue().out(System.nanoTime())) {
                out.writeStartObject();
                out.writeStringField("cluster", cluster.getKey());
                out.writeStringField("address", ejected.endpoint().address().toString());
                out.writeStringField("workload", ejected.endpoint().workload());
                out.writeNumberField("millisLeft", ejected.millisLeft());
                out.writeBooleanField("probing", ejected.probing());
                out.writeEndObject();
            }
        }
        out.writeEndArray();
        FaultPlan faults = state.faults();
        out.writeBooleanField("faulty", faults != null && !faults.isOver(System.currentTimeMillis()));
        out.writeEndObject();
    }

    /** Without a limit only what is taken is told. */
    private static void slots(JsonGenerator out, String name, Slots slots) throws IOException {
        out.writeObjectFieldStart(name);
        out.writeNumberField("now", slots.taken());
        if (slots.most() > 0) {
            out.writeNumberField("most", slots.most());
        }
        out.writeEndObject();
    }
}
