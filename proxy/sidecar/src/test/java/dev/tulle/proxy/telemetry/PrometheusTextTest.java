package dev.tulle.proxy.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.proxy.bootstrap.Settings;
import dev.tulle.proxy.model.Report;
import dev.tulle.proxy.model.Report.Direction;
import dev.tulle.proxy.model.WorkloadId;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class PrometheusTextTest {
    private static final String PEER = "spiffe://cluster.local/ns/shop/sa/client";
    private static final Pattern NAME = Pattern.compile("[a-zA-Z_:][a-zA-Z0-9_:]*");
    private static final Pattern LABEL =
            Pattern.compile("([a-zA-Z_][a-zA-Z0-9_]*)=\"((?:[^\"\\\\\n]|\\\\[\\\\\"n])*)\"(,|$)");

    private final Meters meters = new Meters(1000);

    /** A page as a scraper understands it: families by name, samples by name and labels. */
    private record Page(Map<String, String> types, Map<String, Double> samples) {}

    @Test
    void everyLineIsOneAScraperUnderstands() {
        meters.serves(new WorkloadId("shop", "web-1"), "web");
        meters.edge(Direction.INBOUND, PEER, "", "9080", true, true).ended(false, 200, 1234);
        meters.edge(Direction.OUTBOUND, "odd \"peer\"\\ with\nlines", "shop/db", "shop/db", false, false)
                .ended(true, 0, -1);
        meters.limitHit("max_connections");
        meters.handshakeFailed(Direction.INBOUND, "timeout");
        meters.bytes(Direction.OUTBOUND, 10, 20);

        Page page = parse(PrometheusText.of(meters, "1.0 \"x\"", Set.of()));

        assertThat(page.samples())
                .containsEntry("tulle_limit_hits_total{limit=max_connections}", 1.0)
                .containsEntry("tulle_handshake_failures_total{cause=timeout,direction=inbound}", 1.0)
                .containsEntry("tulle_sent_bytes_total{direction=outbound}", 20.0)
                .containsEntry(
                        "tulle_request_failures_total{backend=shop/db,direction=outbound,mtls=false,peer=odd \"peer\"\\ with\nlines,protocol=tcp,service=shop/db}",
                        1.0);
    }

    @Test
    void countsWhatResilienceDid() {
        ActMeter meter = meters.acts("shop/reviews");
        meter.count(Act.RETRY);
        meter.count(Act.TIMEOUT_PER_TRY);
        meter.ejected(() -> 2);

        assertThat(parse(PrometheusText.of(meters, "1", Set.of())).samples())
                .containsEntry("tulle_retries_total{service=shop/reviews}", 1.0)
                .containsEntry("tulle_timeouts_total{kind=per-try,service=shop/reviews}", 1.0)
                .containsEntry("tulle_timeouts_total{kind=total,service=shop/reviews}", 0.0)
                .containsEntry("tulle_ejected_endpoints{service=shop/reviews}", 2.0);
    }

    @Test
    void histogramsAreCumulativeAndAgreeWithTheirCount() {
        meters.serves(new WorkloadId("shop", "web-1"), "web");
        EdgeMeter edge = meters.edge(Direction.INBOUND, PEER, "", "9080", true, true);
        for (long micros : new long[] {0, 99, 500, 1000, 1001, 4_999, 9_999_999, 10_000_001, 45_000_000, 99_000_000}) {
            edge.ended(false, 200, micros);
        }

        Map<String, Double> samples =
                parse(PrometheusText.of(meters, "1", Set.of())).samples();

        String labels = "{backend=9080,direction=inbound,protocol=http,service=}";
        assertThat(samples).containsEntry("tulle_request_first_byte_seconds_count" + labels, 10.0);
        assertThat(samples)
                .containsEntry(
                        "tulle_request_first_byte_seconds_bucket{backend=9080,direction=inbound,le=0.001,protocol=http,service=}",
                        4.0);
        assertThat(samples)
                .containsEntry(
                        "tulle_request_first_byte_seconds_bucket{backend=9080,direction=inbound,le=0.005,protocol=http,service=}",
                        6.0);
        assertThat(samples)
                .containsEntry(
                        "tulle_request_first_byte_seconds_bucket{backend=9080,direction=inbound,le=10,protocol=http,service=}",
                        7.0);
        String server = "destination_workload=web,destination_workload_namespace=shop,";
        assertThat(samples)
                .containsEntry(
                        "istio_request_duration_milliseconds_bucket{" + server + "le=0.5,reporter=destination}", 3.0);
        assertThat(samples)
                .containsEntry(
                        "istio_request_duration_milliseconds_bucket{" + server + "le=60000,reporter=destination}", 9.0);
        assertThat(samples)
                .containsEntry(
                        "istio_request_duration_milliseconds_bucket{" + server + "le=+Inf,reporter=destination}", 10.0);
    }

    @Test
    void seriesThatFlaggerAsksForAreBornAtZero() {
        meters.serves(new WorkloadId("shop", "web-1"), "web");

        Map<String, Double> samples =
                parse(PrometheusText.of(meters, "1", Set.of())).samples();

        String server = "{destination_workload=web,destination_workload_namespace=shop,";
        assertThat(samples)
                .containsEntry("istio_requests_total" + server + "reporter=destination,response_code=200}", 0.0)
                .containsEntry("istio_requests_total" + server + "reporter=destination,response_code=503}", 0.0)
                .containsEntry("istio_request_duration_milliseconds_count" + server + "reporter=destination}", 0.0);
    }

    @Test
    void namesOfOtherMeshesAreUsedOnlyWhenAskedFor() {
        meters.serves(new WorkloadId("shop", "web-1"), "web");

        assertThat(parse(PrometheusText.of(meters, "1", Set.of())).types())
                .containsKey("istio_requests_total")
                .doesNotContainKeys("response_total", "osm_request_total");
        assertThat(parse(PrometheusText.of(meters, "1", EnumSet.allOf(Settings.Dialect.class)))
                        .types())
                .containsEntry("istio_requests_total", "counter")
                .containsEntry("response_total", "counter")
                .containsEntry("response_latency_ms", "histogram")
                .containsEntry("osm_request_total", "counter")
                .containsEntry("osm_request_duration_ms", "histogram");
    }

    @Test
    void answersLinkerdsQueries() {
        meters.serves(new WorkloadId("shop", "web-primary-5d-x"), "web-primary");
        String labels = "deployment=web-primary,direction=inbound,";
        String server = "namespace=shop,pod=web-primary-5d-x,status_code=";
        assertThat(parse(PrometheusText.of(meters, "1", Set.of(Settings.Dialect.LINKERD)))
                        .samples())
                .containsEntry("response_total{classification=success," + labels + server + "200}", 0.0)
                .containsEntry("response_total{classification=failure," + labels + server + "200}", 0.0)
                .containsEntry("response_total{classification=failure," + labels + server + "500}", 0.0)
                .containsEntry("response_latency_ms_count{" + labels + "namespace=shop,pod=web-primary-5d-x}", 0.0)
                .doesNotContainKey("response_total{classification=success," + labels + server + "500}");

        EdgeMeter edge = meters.edge(Direction.INBOUND, PEER, "", "9080", true, true);
        edge.ended(false, 200, 700_000);
        edge.ended(false, 404, 10);
        edge.ended(true, 200, 10); // gRPC
        edge.ended(true, 507, 10);

        Map<String, Double> samples = parse(PrometheusText.of(meters, "1", Set.of(Settings.Dialect.LINKERD)))
                .samples();
        assertThat(samples)
                .containsEntry("response_total{classification=success," + labels + server + "200}", 1.0)
                .containsEntry("response_total{classification=success," + labels + server + "404}", 1.0)
                .containsEntry("response_total{classification=failure," + labels + server + "200}", 1.0)
                .containsEntry("response_total{classification=failure," + labels + server + "507}", 1.0)
                .containsEntry(
                        "response_latency_ms_bucket{" + labels + "le=500,namespace=shop,pod=web-primary-5d-x}", 3.0)
                .containsEntry(
                        "response_latency_ms_bucket{" + labels + "le=1000,namespace=shop,pod=web-primary-5d-x}", 4.0);
    }

    @Test
    void answersTheQueriesOfOpenServiceMeshInTrueNames() {
        meters.serves(new WorkloadId("my-shop", "web.v2-1"), "web.v2");
        meters.edge(Direction.INBOUND, PEER, "", "9080", true, true).ended(true, 500, 1_500_000);

        String labels = "destination_kind=Deployment,destination_name=web.v2,destination_namespace=my-shop,"
                + "destination_pod=web.v2-1,";
        String source = "source_kind=unknown,source_name=unknown,source_namespace=unknown,source_pod=unknown}";
        assertThat(parse(PrometheusText.of(meters, "1", Set.of(Settings.Dialect.OSM)))
                        .samples())
                .containsEntry("osm_request_total{" + labels + "response_code=200," + source, 0.0)
                .containsEntry("osm_request_total{" + labels + "response_code=500," + source, 1.0)
                .containsEntry("osm_request_duration_ms_bucket{" + labels + "le=1000," + source, 0.0)
                .containsEntry("osm_request_duration_ms_bucket{" + labels + "le=2500," + source, 1.0)
                .containsEntry("osm_request_duration_ms_sum{" + labels + source, 1500.0);
    }

    @Test
    void serverSideCountsInboundHttpOnly() {
        meters.serves(new WorkloadId("shop", "web-1"), "web");
        EdgeMeter inbound = meters.edge(Direction.INBOUND, PEER, "", "9080", true, true);
        inbound.ended(false, 418, 10);
        inbound.denied(new Report.Denial(1, PEER, 9080, "GET", "/", "no_rule", "why", false));
        inbound.denied(new Report.Denial(1, PEER, 9080, "GET", "/", "no_rule", "why", true));
        meters.edge(Direction.OUTBOUND, PEER, "a/b", "a/b", true, true).ended(false, 200, 10);
        meters.edge(Direction.INBOUND, PEER, "", "6379", false, true).ended(false, 0, 10);

        Map<String, Double> samples =
                parse(PrometheusText.of(meters, "1", Set.of())).samples();

        String server =
                "{destination_workload=web,destination_workload_namespace=shop,reporter=destination,response_code=";
        assertThat(samples)
                .containsEntry("istio_requests_total" + server + "418}", 1.0)
                .containsEntry("istio_requests_total" + server + "403}", 1.0)
                .containsEntry("istio_requests_total" + server + "200}", 0.0)
                .containsEntry("tulle_inbound_denied_total{reason=no_rule}", 1.0)
                .containsEntry("tulle_inbound_audited_total{reason=no_rule}", 1.0);
    }

    /** Parses as the exposition format 0.0.4 says, and fails on what it forbids. */
    private static Page parse(String text) {
        assertThat(text).endsWith("\n");
        Map<String, String> types = new LinkedHashMap<>();
        Map<String, Double> samples = new LinkedHashMap<>();
        Set<String> helped = new HashSet<>();
        List<String> order = new ArrayList<>();
        for (String line : text.substring(0, text.length() - 1).split("\n", -1)) {
            if (line.startsWith("# HELP ")) {
                String name = line.split(" ", 4)[2];
                assertThat(helped.add(name)).as("one HELP for %s", name).isTrue();
                continue;
            }
            if (line.startsWith("# TYPE ")) {
                String[] words = line.split(" ");
                assertThat(words).as(line).hasSize(4);
                assertThat(words[3]).isIn("counter", "gauge", "histogram");
                assertThat(types.put(words[2], words[3]))
                        .as("one TYPE for %s", words[2])
                        .isNull();
                continue;
            }
            int space = line.lastIndexOf(' ');
            int brace = line.indexOf('{');
            String name = line.substring(0, brace >= 0 && brace < space ? brace : space);
            assertThat(name).as(line).matches(NAME);
            Map<String, String> labels = new TreeMap<>();
            if (brace >= 0) {
                assertThat(line.charAt(space - 1)).as(line).isEqualTo('}');
                String inside = line.substring(brace + 1, space - 1);
                Matcher matcher = LABEL.matcher(inside);
                int at = 0;
                while (at < inside.length()) {
                    assertThat(matcher.find(at) && matcher.start() == at)
                            .as(line)
                            .isTrue();
                    String value = matcher.group(2)
                            .replace("\\n", "\n")
                            .replace("\\\"", "\"")
                            .replace("\\\\", "\\");
                    assertThat(labels.put(matcher.group(1), value)).as(line).isNull();
                    at = matcher.end();
                }
            }
            String family = types.containsKey(name) ? name : name.replaceFirst("_(bucket|sum|count)$", "");
            assertThat(types).as(line).containsKey(family);
            if (order.isEmpty() || !order.getLast().equals(family)) {
                assertThat(order).as("%s is in one piece", family).doesNotContain(family);
                order.add(family);
            }
            String key = name + (labels.isEmpty() ? "" : labels.toString().replace(", ", ","));
            assertThat(samples.put(key, Double.valueOf(line.substring(space + 1))))
                    .as(key)
                    .isNull();
        }
        return new Page(types, samples);
    }
}
