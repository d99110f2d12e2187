package dev.tulle.proxy.telemetry;

import dev.tulle.proxy.bootstrap.Settings;
import dev.tulle.proxy.model.LatencyBuckets;
import dev.tulle.proxy.model.Report;
import java.math.BigDecimal;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.LongAdder;

/**
 * All meters as Prometheus text.
 *
 * <p>Base units, prefix {@code tulle_}; beside them, on the server side, the two families that stock Flagger asks of an SMI mesh
 * ({@code istio_requests_total}, {@code istio_request_duration_milliseconds}), and if wanted those it asks of Linkerd and of Open Service
 * Mesh. Source: Prometheus exposition format 0.0.4.
 */
public final class PrometheusText {
    /** The media type of {@link #of}. */
    public static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

    /** Bounds of our own histogram: OpenTelemetry's for seconds, and two below for calls inside one machine. */
    private static final List<Long> SECONDS_BOUNDS = List.of(
            1_000L,
            2_500L,
            5_000L,
            10_000L,
            25_000L,
            50_000L,
            75_000L,
            100_000L,
            250_000L,
            500_000L,
            750_000L,
            1_000_000L,
            2_500_000L,
            5_000_000L,
            7_500_000L,
            10_000_000L);

    /** Bounds of the histogram Flagger reads; they reach beyond ten seconds, as it asks. */
    private static final List<Long> MILLISECONDS_BOUNDS = List.of(
            500L,
            1_000L,
            5_000L,
            10_000L,
            25_000L,
            50_000L,
            100_000L,
            250_000L,
            500_000L,
            1_000_000L,
            2_500_000L,
            5_000_000L,
            10_000_000L,
            30_000_000L,
            60_000_000L);

    /** Series that exist before the first request of their kind: a counter born at 7 loses those 7 in a rate. */
    private static final Set<Integer> STATUSES_FROM_START = Set.of(200, 403, 404, 500, 502, 503, 504);

    private final StringBuilder text = new StringBuilder(16 * 1024);

    private PrometheusText() {}

    /**
     * The text, as of now.
     *
     * @param version of the proxy
     * @param dialects whose names are used too for what the workload served
     */
    public static String of(Meters meters, String version, Set<Settings.Dialect> dialects) {
        PrometheusText page = new PrometheusText();
        page.edges(meters);
        page.acts(meters);
        page.traffic(meters);
        page.words(meters);
        page.control(meters.control(), version);
        meters.serves().ifPresent(served -> {
            page.istio(meters, served);
            dialects.stream().sorted().forEach(dialect -> page.dialect(dialect, meters, served));
        });
        return page.text.toString();
    }

    private void edges(Meters meters) {
        family(
                "tulle_requests_total",
                "counter",
                "Requests (protocol http) or connections (tcp) that ended, without denied ones.");
        for (EdgeMeter edge : meters.edges()) {
            sample("tulle_requests_total", labels(edge.key()), edge.requests());
        }
        family(
                "tulle_request_failures_total",
                "counter",
                "Of tulle_requests_total: answers of 500 and above, gRPC failures, cut or failed connections.");
        for (EdgeMeter edge : meters.edges()) {
            sample("tulle_request_failures_total", labels(edge.key()), edge.failures());
        }
        Map<String, long[]> counts = new TreeMap<>();
        Map<String, Long> sums = new TreeMap<>();
        for (EdgeMeter edge : meters.edges()) {
            // Peers are added up: a histogram for each would make the page many times larger.
            String labels = labels(
                    "direction",
                    word(edge.key().direction()),
                    "service",
                    edge.key().service(),
                    "backend",
                    edge.key().backend(),
                    "protocol",
                    protocol(edge.key()));
            long[] sum = counts.computeIfAbsent(labels, l -> new long[LatencyBuckets.count()]);
            for (int i = 0; i < sum.length; i++) {
                sum[i] += edge.latencies().inBucket(i);
            }
            sums.merge(labels, edge.latencies().sumMicros(), Long::sum);
        }
        family("tulle_request_first_byte_seconds", "histogram", "Time from a request to the first byte of its answer.");
        counts.forEach((labels, buckets) -> histogram(
                "tulle_request_first_byte_seconds", labels, buckets, sums.getOrDefault(labels, 0L), SECONDS_BOUNDS, 6));
    }

    private void acts(Meters meters) {
        acts(meters, "tulle_retries_total", "Failed tries that were followed by another one.");
        acts(meters, "tulle_retry_budget_exhausted_total", "Failed tries that were not, because too many had been.");
        acts(
                meters,
                "tulle_requests_moved_total",
                "Requests that an endpoint did nothing with and that were sent to another one.");
        acts(
                meters,
                "tulle_timeouts_total",
                "Limits of time that passed; kind per-try may have been followed by a retry.");
        acts(meters, "tulle_ejections_total", "Endpoints put out because they failed too often in a row.");
        family("tulle_ejected_endpoints", "gauge", "Endpoints that are out now.");
        for (ActMeter meter : meters.acts()) {
            sample("tulle_ejected_endpoints", labels("service", meter.service()), meter.ejectedNow());
        }
        acts(meters, "tulle_overflows_total", "Calls refused because as many as allowed were under way.");
        acts(
                meters,
                "tulle_rate_limited_total",
                "Calls refused because their caller asked too often; service is our port.");
        acts(meters, "tulle_faults_injected_total", "Calls that were made to fail or wait on purpose.");
    }

    private void acts(Meters meters, String family, String help) {
        family(family, "counter", help);
        for (ActMeter meter : meters.acts()) {
            for (Act act : Act.values()) {
                if (act.family().equals(family)) {
                    String labels = act.kind().isEmpty()
                            ? labels("service", meter.service())
                            : labels("service", meter.service(), "kind", act.kind());
                    sample(family, labels, meter.counted(act));
                }
            }
        }
    }

    private void traffic(Meters meters) {
        family("tulle_connections_total", "counter", "Connections that listeners accepted.");
        for (Report.Direction direction : Report.Direction.values()) {
            sample(
                    "tulle_connections_total",
                    labels("direction", word(direction)),
                    meters.traffic(direction).opened.sum());
        }
        family("tulle_connections_open", "gauge", "Accepted connections that are open.");
        for (Report.Direction direction : Report.Direction.values()) {
            Meters.Traffic traffic = meters.traffic(direction);
            sample(
                    "tulle_connections_open",
                    labels("direction", word(direction)),
                    Math.max(0, traffic.opened.sum() - traffic.closed.sum()));
        }
        family("tulle_received_bytes_total", "counter", "Bytes received on accepted connections.");
        for (Report.Direction direction : Report.Direction.values()) {
            sample(
                    "tulle_received_bytes_total",
                    labels("direction", word(direction)),
                    meters.traffic(direction).received.sum());
        }
        family("tulle_sent_bytes_total", "counter", "Bytes sent on accepted connections.");
        for (Report.Direction direction : Report.Direction.values()) {
            sample(
                    "tulle_sent_bytes_total",
                    labels("direction", word(direction)),
                    meters.traffic(direction).sent.sum());
        }
    }

    private void words(Meters meters) {
        words("tulle_inbound_denied_total", "Calls refused by policy.", "reason", meters.deniedByReason());
        words(
                "tulle_inbound_audited_total",
                "Calls that policy would refuse, let pass under audit.",
                "reason",
                meters.auditedByReason());
        words("tulle_limit_hits_total", "Times a limit of the proxy bit.", "limit", meters.limitHits());
        family("tulle_handshake_failures_total", "counter", "TLS handshakes that failed.");
        for (Report.Direction direction : Report.Direction.values()) {
            new TreeMap<>(meters.words(direction).counts())
                    .forEach((cause, count) -> sample(
                            "tulle_handshake_failures_total",
                            labels("direction", word(direction), "cause", cause),
                            count.sum()));
        }
    }

    private void words(String name, String help, String label, Meters.Words words) {
        family(name, "counter", help);
        for (Map.Entry<String, LongAdder> one : new TreeMap<>(words.counts()).entrySet()) {
            sample(name, labels(label, one.getKey()), one.getValue().sum());
        }
    }

    private void control(ControlMeters meters, String version) {
        single(
                "tulle_proxy_ready",
                "gauge",
                "1 when identity, policy and listeners are there.",
                meters.isReady() ? 1 : 0);
        single(
                "tulle_discovery_connected",
                "gauge",
                "1 while the stream to the controller is up.",
                meters.isConnected() ? 1 : 0);
        single(
                "tulle_discovery_streams_total",
                "counter",
                "Streams to the controller that came up.",
                meters.streamsOpened());
        single("tulle_config_version", "gauge", "Version of the config in force.", meters.configVersion());
        single(
                "tulle_config_last_applied_timestamp_seconds",
                "gauge",
                "When the config in force was applied; 0 before the first.",
                meters.configAppliedSeconds());
        single("tulle_config_rejected_total", "counter", "Configs that could not be used.", meters.configsRejected());
        single(
                "tulle_identity_certificate_expiry_timestamp_seconds",
                "gauge",
                "When the certificate in force ends; 0 without one.",
                meters.certificateExpirySeconds());
        single(
                "tulle_identity_enrollments_total",
                "counter",
                "Enrollments and renewals that went through.",
                meters.enrollments());
        single(
                "tulle_identity_enrollment_failures_total",
                "counter",
                "Enrollments and renewals that did not.",
                meters.enrollmentFailures());
        family("tulle_proxy_build_info", "gauge", "Always 1; what runs.");
        sample(
                "tulle_proxy_build_info",
                labels("version", version, "java", Runtime.version().toString()),
                1);
    }

    /** The families of another mesh; {@code served} says whose requests these are. */
    private void dialect(Settings.Dialect dialect, Meters meters, Meters.Served served) {
        switch (dialect) {
            case LINKERD -> linkerd(meters, served);
            case OSM -> osm(meters, served);
        }
    }

    private void istio(Meters meters, Meters.Served served) {
        String labels = labels(
                "reporter",
                "destination",
                "destination_workload",
                served.owner(),
                "destination_workload_namespace",
                served.workload().namespace());
        answers("istio_requests_total", "response_code", labels, meters);
        latencies("istio_request_duration_milliseconds", labels, meters);
    }

    /** {@code deployment} is the name of whatever made the pod, for tools ask for no other label. */
    private void linkerd(Meters meters, Meters.Served served) {
        String labels = labels(
                "direction",
                "inbound",
                "namespace",
                served.workload().namespace(),
                "deployment",
                served.owner(),
                "pod",
                served.workload().name());
        family("response_total", "counter", "Requests answered by this workload, in Linkerd's words.");
        for (int status = 0; status < meters.statuses(); status++) {
            long failed = meters.failed(status);
            long well = meters.answered(status) - failed;
            boolean fromStart = STATUSES_FROM_START.contains(status);
            if (well > 0 || (fromStart && status < 500)) {
                sample("response_total", classified(labels, "success", status), well);
            }
            // An answer of gRPC is a 200 also when the call failed.
            if (failed > 0 || (fromStart && (status >= 500 || status == 200))) {
                sample("response_total", classified(labels, "failure", status), failed);
            }
        }
        latencies("response_latency_ms", labels, meters);
    }

    private static String classified(String labels, String classification, int status) {
        return labels + "," + labels("classification", classification, "status_code", String.valueOf(status));
    }

    /** Who called is not told: Open Service Mesh counts beside the caller, we count where calls arrive. */
    private void osm(Meters meters, Meters.Served served) {
        String labels = labels(
                "source_namespace",
                "unknown",
                "source_kind",
                "unknown",
                "source_name",
                "unknown",
                "source_pod",
                "unknown",
                "destination_namespace",
                served.workload().namespace(),
                "destination_kind",
                "Deployment",
                "destination_name",
                served.owner(),
                "destination_pod",
                served.workload().name());
        answers("osm_request_total", "response_code", labels, meters);
        latencies("osm_request_duration_ms", labels, meters);
    }

    private void answers(String name, String statusLabel, String labels, Meters meters) {
        family(name, "counter", "Requests answered by this workload, under the name that stock Flagger asks for.");
        for (int status = 0; status < meters.statuses(); status++) {
            long answered = meters.answered(status);
            if (answered > 0 || STATUSES_FROM_START.contains(status)) {
                sample(name, labels + "," + labels(statusLabel, String.valueOf(status)), answered);
            }
        }
    }

    private void latencies(String name, String labels, Meters meters) {
        family(name, "histogram", "Time to the first byte of an answer, under the name that stock Flagger asks for.");
        long[] counts = new long[LatencyBuckets.count()];
        for (int i = 0; i < counts.length; i++) {
            counts[i] = meters.servedLatencies().inBucket(i);
        }
        histogram(name, labels, counts, meters.servedLatencies().sumMicros(), MILLISECONDS_BOUNDS, 3);
    }

    /** {@code scale}: decimal places between microseconds and the unit shown. */
    private void histogram(String name, String labels, long[] counts, long sumMicros, List<Long> bounds, int scale) {
        long below = 0;
        int next = 0;
        for (long bound : bounds) {
            while (next < counts.length && LatencyBuckets.upperMicros(next) <= bound) {
                below += counts[next++];
            }
            sample(name + "_bucket", labels + ",le=\"" + decimal(bound, scale) + "\"", below);
        }
        while (next < counts.length) {
            below += counts[next++];
        }
        sample(name + "_bucket", labels + ",le=\"+Inf\"", below);
        text.append(name)
                .append("_sum{")
                .append(labels)
                .append("} ")
                .append(decimal(sumMicros, scale))
                .append('\n');
        sample(name + "_count", labels, below);
    }

    private void single(String name, String type, String help, long value) {
        family(name, type, help);
        text.append(name).append(' ').append(value).append('\n');
    }

    private void family(String name, String type, String help) {
        text.append("# HELP ").append(name).append(' ').append(help).append('\n');
        text.append("# TYPE ").append(name).append(' ').append(type).append('\n');
    }

    private void sample(String name, String labels, long value) {
        text.append(name).append('{').append(labels).append("} ").append(value).append('\n');
    }

    private static String labels(EdgeMeter.Key key) {
        return labels(
                "direction",
                word(key.direction()),
                "peer",
                key.peer(),
                "service",
                key.service(),
                "backend",
                key.backend(),
                "protocol",
                protocol(key),
                "mtls",
                String.valueOf(key.mtls()));
    }

    private static String labels(String... namesAndValues) {
        StringBuilder labels = new StringBuilder(128);
        for (int i = 0; i < namesAndValues.length; i += 2) {
            labels.append(i == 0 ? "" : ",").append(namesAndValues[i]).append("=\"");
            String value = namesAndValues[i + 1];
            for (int c = 0; c < value.length(); c++) {
                switch (value.charAt(c)) {
                    case '\\' -> labels.append("\\\\");
                    case '"' -> labels.append("\\\"");
                    case '\n' -> labels.append("\\n");
                    default -> labels.append(value.charAt(c));
                }
            }
            labels.append('"');
        }
        return labels.toString();
    }

    private static String protocol(EdgeMeter.Key key) {
        return key.http() ? "http" : "tcp";
    }

    private static String word(Report.Direction direction) {
        return direction.name().toLowerCase(Locale.ROOT);
    }

    private static String decimal(long micros, int scale) {
        return micros == 0
                ? "0"
                : BigDecimal.valueOf(micros, scale).stripTrailingZeros().toPlainString();
    }
}
