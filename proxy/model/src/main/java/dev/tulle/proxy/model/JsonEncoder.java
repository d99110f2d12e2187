package dev.tulle.proxy.model;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Writes each value of the contract as JSON, its fields in the order of the record. */
final class JsonEncoder {
    private static final JsonFactory FACTORY = new JsonFactory();
    private static final DefaultIndenter INDENT = new DefaultIndenter("  ", "\n");

    /** Writes one value. */
    private interface Writing<T> {
        void write(T value) throws IOException;
    }

    private final JsonGenerator out;

    private JsonEncoder(JsonGenerator out) {
        this.out = out;
    }

    static String encode(ToProxy message) {
        return text(json -> json.write(message), false);
    }

    static String encode(ToController message) {
        return text(json -> json.write(message), false);
    }

    static String encode(Enrollment enrollment) {
        return text(json -> json.write(enrollment), false);
    }

    static String encode(TrustBundle bundle) {
        return text(json -> json.write(bundle), false);
    }

    static String encode(JoinTokenPayload payload) {
        return text(json -> json.write(payload), false);
    }

    static String encode(ProxyConfig config) {
        return text(json -> json.write(config), true) + "\n";
    }

    private static String text(Writing<JsonEncoder> writing, boolean indented) {
        StringWriter text = new StringWriter();
        try (JsonGenerator out = FACTORY.createGenerator(text)) {
            if (indented) {
                out.setPrettyPrinter(
                        new DefaultPrettyPrinter().withObjectIndenter(INDENT).withArrayIndenter(INDENT));
            }
            writing.write(new JsonEncoder(out));
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory", e);
        }
        return text.toString();
    }

    private void write(ToProxy message) throws IOException {
        out.writeStartObject();
        switch (message) {
            case ToProxy.Workload workload -> {
                head("workload", workload.version());
                field("config", workload.config(), this::write);
            }
            case ToProxy.Watched watched -> {
                head("watched", watched.version());
                field("destination", watched.destination(), this::write);
            }
            case ToProxy.Trust trust -> {
                head("trust", trust.version());
                field("bundle", trust.bundle(), this::write);
            }
        }
        out.writeEndObject();
    }

    private void head(String type, long version) throws IOException {
        out.writeStringField("type", type);
        out.writeNumberField("version", version);
    }

    private void write(ToController message) throws IOException {
        out.writeStartObject();
        switch (message) {
            case ToController.Hello hello -> {
                out.writeStringField("type", "hello");
                text("workload", hello.workload());
                out.writeStringField("instance", hello.instance());
                out.writeStringField("proxyVersion", hello.proxyVersion());
                out.writeNumberField("protocol", hello.protocol());
                out.writeNumberField("held", hello.held());
            }
            case ToController.Watch watch -> {
                out.writeStringField("type", "watch");
                text("destination", watch.destination());
            }
            case ToController.Unwatch unwatch -> {
                out.writeStringField("type", "unwatch");
                text("destination", unwatch.destination());
            }
            case ToController.Ack ack -> head("ack", ack.version());
            case ToController.Nack nack -> {
                head("nack", nack.version());
                out.writeStringField("error", nack.error());
            }
            case ToController.Health health -> {
                out.writeStringField("type", "health");
                out.writeBooleanField("ready", health.ready());
                out.writeStringField("detail", health.detail());
            }
            case ToController.Reported reported -> {
                out.writeStringField("type", "reported");
                field("report", reported.report(), this::write);
            }
        }
        out.writeEndObject();
    }

    private void write(Report report) throws IOException {
        out.writeStartObject();
        list("edges", report.edges(), this::write);
        list("denials", report.denials(), this::write);
        if (!report.acts().isEmpty()) {
            list("acts", report.acts(), this::write);
        }
        out.writeNumberField("connections", report.connections());
        out.writeNumberField("certificateExpiry", report.certificateExpiry());
        out.writeStringField("issuer", report.issuer());
        out.writeEndObject();
    }

    private void write(Report.Edge edge) throws IOException {
        out.writeStartObject();
        word("direction", edge.direction());
        out.writeStringField("peer", edge.peer());
        out.writeStringField("service", edge.service());
        out.writeStringField("backend", edge.backend());
        out.writeBooleanField("http", edge.http());
        out.writeBooleanField("mtls", edge.mtls());
        out.writeNumberField("requests", edge.requests());
        out.writeNumberField("failures", edge.failures());
        out.writeNumberField("denied", edge.denied());
        list("latency", edge.latency(), out::writeNumber);
        out.writeEndObject();
    }

    private void write(Report.Denial denial) throws IOException {
        out.writeStartObject();
        out.writeNumberField("at", denial.at());
        out.writeStringField("peer", denial.peer());
        out.writeNumberField("port", denial.port());
        out.writeStringField("method", denial.method());
        out.writeStringField("path", denial.path());
        out.writeStringField("reason", denial.reason());
        out.writeStringField("detail", denial.detail());
        out.writeBooleanField("audited", denial.audited());
        out.writeEndObject();
    }

    private void write(Report.Act act) throws IOException {
        out.writeStartObject();
        out.writeStringField("service", act.service());
        out.writeStringField("what", act.what());
        out.writeNumberField("count", act.count());
        out.writeNumberField("now", act.now());
        out.writeEndObject();
    }

    private void write(ProxyConfig config) throws IOException {
        out.writeStartObject();
        out.writeNumberField("version", config.version());
        field("workload", config.workload(), this::write);
        list("destinations", config.destinations(), this::write);
        field("trust", config.trust(), this::write);
        out.writeEndObject();
    }

    private void write(WorkloadConfig config) throws IOException {
        out.writeStartObject();
        text("workload", config.workload());
        out.writeStringField("owner", config.owner());
        text("identity", config.identity());
        list("inbound", config.inbound(), this::write);
        list("outbound", config.outbound(), this::write);
        field("policy", config.policy(), this::write);
        list("meshNetworks", config.meshNetworks(), out::writeString);
        orNull("healthCheck", config.healthCheck(), this::write);
        if (!config.zone().isEmpty()) {
            out.writeStringField("zone", config.zone());
        }
        if (!config.probes().isEmpty()) {
            list("probes", config.probes(), this::write);
        }
        if (!config.opaquePorts().isEmpty()) {
            list("opaquePorts", config.opaquePorts(), out::writeNumber);
        }
        out.writeEndObject();
    }

    private void write(InboundPort port) throws IOException {
        out.writeStartObject();
        out.writeStringField("name", port.name());
        out.writeNumberField("port", port.port());
        list("servicePorts", port.servicePorts(), out::writeNumber);
        out.writeStringField("protocol", port.protocol().wireName());
        orNull("listen", port.listen(), this::asText);
        text("application", port.application());
        if (port.rateLimit().isPresent()) {
            field("rateLimit", port.rateLimit().get(), this::write);
        }
        out.writeEndObject();
    }

    private void write(RateLimit limit) throws IOException {
        out.writeStartObject();
        out.writeNumberField("requests", limit.requests());
        out.writeNumberField("perMillis", limit.perMillis());
        out.writeNumberField("burst", limit.burst());
        out.writeEndObject();
    }

    private void write(OutboundListener listener) throws IOException {
        out.writeStartObject();
        text("listen", listener.listen());
        text("destination", listener.destination());
        out.writeEndObject();
    }

    private void write(WorkloadConfig.Probe probe) throws IOException {
        out.writeStartObject();
        out.writeNumberField("port", probe.port());
        out.writeStringField("kind", probe.kind().wireName());
        out.writeStringField("path", probe.path());
        out.writeEndObject();
    }

    private void write(WorkloadConfig.HealthCheck check) throws IOException {
        out.writeStartObject();
        text("address", check.address());
        out.writeStringField("path", check.path());
        out.writeNumberField("intervalMillis", check.intervalMillis());
        out.writeEndObject();
    }

    private void write(InboundPolicy policy) throws IOException {
        out.writeStartObject();
        word("access", policy.access());
        word("unmeshed", policy.unmeshed());
        out.writeBooleanField("sameIdentity", policy.sameIdentity());
        list("grants", policy.grants(), this::write);
        out.writeEndObject();
    }

    private void write(Grant grant) throws IOException {
        out.writeStartObject();
        out.writeStringField("target", grant.target());
        list("sources", grant.sources(), this::asText);
        listOrNull("ports", grant.ports(), out::writeNumber);
        listOrNull("routes", grant.routes(), this::write);
        out.writeEndObject();
    }

    private void write(HttpMatch match) throws IOException {
        out.writeStartObject();
        out.writeStringField("name", match.name());
        orNull("path", match.path(), this::write);
        list("methods", match.methods(), out::writeString);
        list("headers", match.headers(), this::write);
        out.writeEndObject();
    }

    private void write(HttpMatch.PathPattern path) throws IOException {
        out.writeStartObject();
        out.writeStringField("regex", path.regex());
        out.writeBooleanField("full", path.full());
        out.writeEndObject();
    }

    private void write(HttpMatch.HeaderPattern header) throws IOException {
        out.writeStartObject();
        out.writeStringField("name", header.name());
        out.writeStringField("regex", header.regex());
        out.writeEndObject();
    }

    private void write(Destination destination) throws IOException {
        out.writeStartObject();
        switch (destination) {
            case Destination.Service service -> {
                out.writeStringField("kind", "service");
                text("key", service.key());
                out.writeStringField("service", service.service());
                out.writeStringField("protocol", service.protocol().wireName());
                list("routes", service.routes(), this::write);
                list("clusters", service.clusters(), this::write);
                if (!service.resilience().equals(Resilience.NONE)) {
                    field("resilience", service.resilience(), this::write);
                }
            }
            case Destination.NotInMesh notInMesh -> {
                out.writeStringField("kind", "notinmesh");
                text("key", notInMesh.key());
            }
        }
        out.writeEndObject();
    }

    private void write(Resilience resilience) throws IOException {
        out.writeStartObject();
        if (!resilience.timeouts().equals(Resilience.Timeouts.NONE)) {
            field("timeouts", resilience.timeouts(), this::write);
        }
        if (resilience.retries().isPresent()) {
            field("retries", resilience.retries().get(), this::write);
        }
        if (resilience.ejection().isPresent()) {
            field("ejection", resilience.ejection().get(), this::write);
        }
        if (!resilience.capacity().equals(Resilience.Capacity.UNLIMITED)) {
            field("capacity", resilience.capacity(), this::write);
        }
        if (!resilience.faults().isEmpty()) {
            list("faults", resilience.faults(), this::write);
        }
        if (resilience.ownZoneFirst()) {
            out.writeBooleanField("ownZoneFirst", true);
        }
        out.writeEndObject();
    }

    private void write(Resilience.Timeouts timeouts) throws IOException {
        out.writeStartObject();
        out.writeNumberField("totalMillis", timeouts.totalMillis());
        out.writeNumberField("perTryMillis", timeouts.perTryMillis());
        out.writeNumberField("idleMillis", timeouts.idleMillis());
        out.writeEndObject();
    }

    private void write(Resilience.Retries retries) throws IOException {
        out.writeStartObject();
        out.writeNumberField("most", retries.most());
        list("on", List.copyOf(retries.on()), on -> out.writeString(on.wireName()));
        list("methods", retries.methods(), out::writeString);
        out.writeEndObject();
    }

    private void write(Resilience.Ejection ejection) throws IOException {
        out.writeStartObject();
        out.writeNumberField("after", ejection.after());
        out.writeNumberField("forMillis", ejection.forMillis());
        out.writeEndObject();
    }

    private void write(Resilience.Capacity capacity) throws IOException {
        out.writeStartObject();
        out.writeNumberField("maxConnections", capacity.maxConnections());
        out.writeNumberField("maxPending", capacity.maxPending());
        out.writeNumberField("maxRequests", capacity.maxRequests());
        out.writeEndObject();
    }

    private void write(Resilience.Fault fault) throws IOException {
        out.writeStartObject();
        out.writeStringField("kind", fault.wireName());
        switch (fault) {
            case Resilience.Fault.Abort abort -> out.writeNumberField("status", abort.status());
            case Resilience.Fault.Delay delay -> out.writeNumberField("millis", delay.millis());
        }
        out.writeNumberField("perMillion", fault.perMillion());
        out.writeNumberField("untilMillis", fault.untilMillis());
        out.writeEndObject();
    }

    private void write(Route route) throws IOException {
        out.writeStartObject();
        out.writeStringField("name", route.name());
        listOrNull("matches", route.matches(), this::write);
        list("clusters", route.clusters(), this::write);
        out.writeEndObject();
    }

    private void write(WeightedCluster cluster) throws IOException {
        out.writeStartObject();
        out.writeStringField("cluster", cluster.cluster());
        out.writeNumberField("weight", cluster.weight());
        out.writeEndObject();
    }

    private void write(Cluster cluster) throws IOException {
        out.writeStartObject();
        out.writeStringField("name", cluster.name());
        list("endpoints", cluster.endpoints(), this::write);
        out.writeEndObject();
    }

    private void write(Endpoint endpoint) throws IOException {
        out.writeStartObject();
        text("address", endpoint.address());
        out.writeStringField("workload", endpoint.workload());
        orNull("identity", endpoint.identity(), this::asText);
        out.writeStringField("zone", endpoint.zone());
        out.writeEndObject();
    }

    private void write(TrustBundle bundle) throws IOException {
        out.writeStartObject();
        out.writeStringField("trustDomain", bundle.trustDomain());
        list("anchors", bundle.anchors(), out::writeString);
        out.writeStringField("issuer", bundle.issuer());
        out.writeEndObject();
    }

    private void write(Enrollment enrollment) throws IOException {
        out.writeStartObject();
        text("workload", enrollment.workload());
        text("identity", enrollment.identity());
        out.writeStringField("chain", enrollment.chain());
        field("trust", enrollment.trust(), this::write);
        out.writeEndObject();
    }

    private void write(JoinTokenPayload payload) throws IOException {
        out.writeStartObject();
        text("workload", payload.workload());
        out.writeNumberField("exp", payload.expires().getEpochSecond());
        field("trust", payload.trust(), this::write);
        out.writeEndObject();
    }

    private void asText(Object value) throws IOException {
        out.writeString(value.toString());
    }

    private void text(String name, Object value) throws IOException {
        out.writeStringField(name, value.toString());
    }

    private void word(String name, Enum<?> value) throws IOException {
        out.writeStringField(name, value.name().toLowerCase(Locale.ROOT));
    }

    private <T> void field(String name, T value, Writing<T> writing) throws IOException {
        out.writeFieldName(name);
        writing.write(value);
    }

    private <T> void orNull(String name, Optional<T> value, Writing<T> writing) throws IOException {
        if (value.isPresent()) {
            field(name, value.get(), writing);
        } else {
            out.writeNullField(name);
        }
    }

    private <T> void list(String name, List<T> values, Writing<T> writing) throws IOException {
        out.writeArrayFieldStart(name);
        for (T value : values) {
            writing.write(value);
        }
        out.writeEndArray();
    }

    private <T> void listOrNull(String name, Optional<List<T>> values, Writing<T> writing) throws IOException {
        if (values.isPresent()) {
            list(name, values.get(), writing);
        } else {
            out.writeNullField(name);
        }
    }
}
