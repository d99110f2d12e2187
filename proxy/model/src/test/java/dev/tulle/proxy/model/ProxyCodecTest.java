package dev.tulle.proxy.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ProxyCodecTest {
    private static final Path GOLDEN = Path.of("src/test/resources/dev/tulle/proxy/model/golden");

    /** Set to rewrite the golden files; a changed one is read like code. */
    private static final boolean REWRITE = Boolean.getBoolean("golden.rewrite");

    /** Fields that may be left out, in any message; all others are missed by name. */
    private static final Set<String> OPTIONAL = Set.of(
            "error",
            "detail",
            "proxyVersion",
            "issuer",
            "inbound",
            "outbound",
            "healthCheck",
            "zone",
            "protocol",
            "listen",
            "servicePorts",
            "rateLimit",
            "resilience",
            "timeouts",
            "totalMillis",
            "perTryMillis",
            "idleMillis",
            "retries",
            "ejection",
            "capacity",
            "maxConnections",
            "maxPending",
            "maxRequests",
            "faults",
            "ownZoneFirst",
            "acts",
            "now",
            "probes",
            "opaquePorts");

    private interface Decoding {
        Object decode(String text) throws MalformedMessage;
    }

    /** A sample, its text and its way back. */
    private record Case(Object value, String text, Decoding decoding) {}

    private static Map<String, Case> cases() {
        Map<String, Case> cases = new LinkedHashMap<>();
        Decoding toProxy = text -> ProxyCodec.decodeToProxy(text).orElseThrow();
        for (ToProxy message : List.of(
                new ToProxy.Workload(3, Samples.CONFIG),
                new ToProxy.Watched(4, Samples.SERVICE),
                new ToProxy.Trust(5, Samples.TRUST))) {
            cases.put(nameOf(message), new Case(message, ProxyCodec.encode(message), toProxy));
        }
        ToProxy outside = new ToProxy.Watched(6, Samples.OUTSIDE);
        cases.put("watched-not-in-mesh", new Case(outside, ProxyCodec.encode(outside), toProxy));
        Decoding toController = text -> ProxyCodec.decodeToController(text).orElseThrow();
        for (ToController message : List.of(
                new ToController.Hello(Samples.WORKLOAD, "i-1", "0.1.0", ToController.Hello.PROTOCOL, 6),
                new ToController.Watch(Samples.RATINGS),
                new ToController.Unwatch(Samples.OUTSIDE.key()),
                new ToController.Ack(3),
                new ToController.Nack(4, "config.policy: no"),
                new ToController.Health(false, "connection refused"),
                new ToController.Reported(Samples.REPORT))) {
            cases.put(nameOf(message), new Case(message, ProxyCodec.encode(message), toController));
        }
        cases.put(
                "config",
                new Case(Samples.PROXY_CONFIG, ProxyCodec.encode(Samples.PROXY_CONFIG), ProxyCodec::decodeConfig));
        cases.put("trust-file", new Case(Samples.TRUST, ProxyCodec.encode(Samples.TRUST), ProxyCodec::decodeTrust));
        cases.put(
                "enrollment",
                new Case(Samples.ENROLLMENT, ProxyCodec.encode(Samples.ENROLLMENT), ProxyCodec::decodeEnrollment));
        return cases;
    }

    private static String nameOf(Object message) {
        return message.getClass().getSimpleName().toLowerCase(Locale.ROOT);
    }

    @TestFactory
    Stream<DynamicTest> writesTheBytesPinnedForEachMessageAndReadsThemBack() {
        return cases().entrySet().stream()
                .map(entry -> DynamicTest.dynamicTest(entry.getKey(), () -> {
                    Case sample = entry.getValue();
                    Path file = GOLDEN.resolve(entry.getKey() + ".json");
                    if (REWRITE) {
                        Files.writeString(file, sample.text());
                    }
                    assertThat(sample.text()).isEqualTo(Files.readString(file));
                    assertThat(sample.decoding().decode(sample.text())).isEqualTo(sample.value());
                }));
    }

    @Test
    void leavesNoGoldenFileWithoutMessage() throws IOException {
        try (Stream<Path> files = Files.list(GOLDEN)) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrderElementsOf(cases().keySet().stream()
                            .map(name -> name + ".json")
                            .toList());
        }
    }

    @Test
    void pinsAMessageForEveryTypeThereIs() {
        Set<String> types = new TreeSet<>();
        for (Class<?> direction : List.of(ToProxy.class, ToController.class)) {
            for (Class<?> type : direction.getPermittedSubclasses()) {
                types.add(type.getSimpleName().toLowerCase(Locale.ROOT));
            }
        }
        assertThat(cases().keySet()).containsAll(types);
    }

    @TestFactory
    Stream<DynamicTest> missesEachFieldByItsPathUnlessItsAbsenceIsHarmless() {
        return cases().entrySet().stream()
                .map(entry -> DynamicTest.dynamicTest(entry.getKey(), () -> {
                    Case sample = entry.getValue();
                    int places = JsonTree.places(JsonTree.parse(sample.text())).size();
                    for (int i = 0; i < places; i++) {
                        for (String field : List.copyOf(
                                placeAt(sample.text(), i).getValue().object().keySet())) {
                            var broken = placeAt(sample.text(), i);
                            broken.getValue().object().remove(field);
                            String path = broken.getValue().at(field);
                            Throwable thrown = thrownBy(sample.decoding(), JsonTree.write(broken.getKey()));
                            if (mayBeLeftOut(path, field)) {
                                assertThat(thrown).as(path).isNull();
                            } else {
                                assertThat(thrown)
                                        .as(path)
                                        .isInstanceOfSatisfying(
                                                MalformedMessage.class,
                                                malformed -> assertThat(malformed.field())
                                                        .isEqualTo(path));
                            }
                        }
                    }
                }));
    }

    private static boolean mayBeLeftOut(String path, String field) {
        boolean ofEndpoint = path.contains("endpoints[");
        boolean ofPort = path.contains("inbound[");
        boolean ofDenial = path.contains("denials[");
        return (OPTIONAL.contains(field) && !path.equals("protocol") && !path.contains("outbound[") && !ofDenial)
                || (ofEndpoint && field.equals("workload"))
                || (ofPort && field.equals("name"))
                || path.endsWith("healthCheck.path");
    }

    @TestFactory
    Stream<DynamicTest> refusesAWrongTypeOfEachFieldByItsPath() {
        return cases().entrySet().stream()
                .map(entry -> DynamicTest.dynamicTest(entry.getKey(), () -> {
                    Case sample = entry.getValue();
                    int places = JsonTree.places(JsonTree.parse(sample.text())).size();
                    for (int i = 0; i < places; i++) {
                        for (String field : List.copyOf(
                                placeAt(sample.text(), i).getValue().object().keySet())) {
                            var broken = placeAt(sample.text(), i);
                            Object value = broken.getValue().object().get(field);
                            broken.getValue().object().put(field, value instanceof Long ? "1" : 1L);
                            Throwable thrown = thrownBy(sample.decoding(), JsonTree.write(broken.getKey()));
                            String path = broken.getValue().at(field);
                            assertThat(thrown)
                                    .as(path)
                                    .isInstanceOfSatisfying(
                                            MalformedMessage.class,
                                            malformed -> assertThat(malformed.field())
                                                    .isEqualTo(path));
                        }
                    }
                }));
    }

    @TestFactory
    Stream<DynamicTest> ignoresAnUnknownFieldExceptInRulesAndMatches() {
        return cases().entrySet().stream()
                .map(entry -> DynamicTest.dynamicTest(entry.getKey(), () -> {
                    Case sample = entry.getValue();
                    int places = JsonTree.places(JsonTree.parse(sample.text())).size();
                    for (int i = 0; i < places; i++) {
                        var changed = placeAt(sample.text(), i);
                        changed.getValue().object().put("later", List.of(Map.of("a", 1L)));
                        String path = changed.getValue().path();
                        String text = JsonTree.write(changed.getKey());
                        if (path.contains("policy") || path.contains("matches[") || path.contains("probes[")) {
                            assertThatThrownBy(() -> sample.decoding().decode(text))
                                    .isInstanceOf(MalformedMessage.class)
                                    .hasMessageStartingWith(path + ".later: ");
                        } else {
                            assertThat(sample.decoding().decode(text)).as(path).isEqualTo(sample.value());
                        }
                    }
                }));
    }

    private static Map.Entry<Map<String, @Nullable Object>, JsonTree.Place> placeAt(String text, int index) {
        Map<String, @Nullable Object> tree = JsonTree.parse(text);
        return Map.entry(tree, JsonTree.places(tree).get(index));
    }

    private static @Nullable Throwable thrownBy(Decoding decoding, String text) {
        return catchThrowableOfType(Throwable.class, () -> decoding.decode(text));
    }

    @Test
    void readsBackWhateverItWrote() throws MalformedMessage {
        Random random = new Random(1);
        for (int i = 0; i < 500; i++) {
            ProxyConfig config = new RandomValues(random).proxyConfig();
            assertThat(ProxyCodec.decodeConfig(ProxyCodec.encode(config))).isEqualTo(config);
            ToProxy workload = new ToProxy.Workload(i, config.workload());
            String line = ProxyCodec.encode(workload);
            assertThat(line).doesNotContain("\n", "\r");
            assertThat(ProxyCodec.decodeToProxy(line)).contains(workload);
            assertThat(ProxyCodec.decodeToProxy(line.getBytes(StandardCharsets.UTF_8)))
                    .contains(workload);
        }
    }

    @Test
    void neverThrowsAnythingButMalformedMessageOnDamagedText() {
        Random random = new Random(2);
        for (Case sample : cases().values()) {
            for (int i = 0; i < 500; i++) {
                StringBuilder text = new StringBuilder(sample.text());
                for (int damages = random.nextInt(3); damages >= 0; damages--) {
                    int at = random.nextInt(text.length());
                    switch (random.nextInt(3)) {
                        case 0 -> text.deleteCharAt(at);
                        case 1 -> text.setCharAt(at, (char) random.nextInt(0x100));
                        default -> text.insert(at, "{}[]\",:0-\\".charAt(random.nextInt(10)));
                    }
                }
                try {
                    sample.decoding().decode(text.toString());
                } catch (MalformedMessage expected) {
                    assertThat(expected.getMessage()).isNotBlank();
                } catch (NoSuchElementException unknownType) {
                    assertThat(sample.value()).isInstanceOfAny(ToProxy.class, ToController.class);
                }
            }
        }
    }

    @Test
    void neverThrowsAnythingButMalformedMessageOnAnyBytes() {
        Random random = new Random(9);
        byte[] sample = ProxyCodec.encode(new ToController.Nack(4, "ümlaut")).getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < 20_000; i++) {
            byte[] line = sample.clone();
            for (int damages = random.nextInt(4); damages >= 0; damages--) {
                line[random.nextInt(line.length)] = (byte) random.nextInt();
            }
            try {
                ProxyCodec.decodeToController(line);
            } catch (MalformedMessage expected) {
                assertThat(expected.getMessage()).isNotBlank();
            }
        }
        for (Charset other : List.of(StandardCharsets.UTF_16, StandardCharsets.UTF_16LE, Charset.forName("UTF-32"))) {
            byte[] line = "{\"type\":\"ack\",\"version\":1}".getBytes(other);
            assertThatThrownBy(() -> ProxyCodec.decodeToController(line)).isInstanceOf(MalformedMessage.class);
        }
    }

    @Test
    void saysNothingOfATypeItDoesNotKnow() throws MalformedMessage {
        assertThat(ProxyCodec.decodeToProxy("{\"type\":\"tap\",\"version\":\"?\"}"))
                .isEmpty();
        assertThat(ProxyCodec.decodeToController("{\"type\":\"sample\"}")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", " ", "null", "[]", "1", "{", "{}{}", "{\"type\":\"ack\",\"version\":1}x", "{\"a\":NaN}"})
    void refusesWhatIsNotOneObject(String text) {
        assertThatThrownBy(() -> ProxyCodec.decodeToController(text)).isInstanceOf(MalformedMessage.class);
    }

    @Test
    void refusesAFieldThatIsThereTwice() {
        assertThatThrownBy(() -> ProxyCodec.decodeToController("{\"type\":\"ack\",\"version\":1,\"version\":2}"))
                .isInstanceOf(MalformedMessage.class)
                .hasMessageContaining("Duplicate field 'version'");
    }

    @ParameterizedTest
    @ValueSource(strings = {"1.5", "1e3", "9223372036854775808", "-1", "true", "\"1\"", "null"})
    void refusesAVersionThatIsNoWholeNumber(String version) {
        assertThatThrownBy(() -> ProxyCodec.decodeToController("{\"type\":\"ack\",\"version\":" + version + "}"))
                .isInstanceOf(MalformedMessage.class)
                .hasMessageStartingWith("version: ");
    }

    @Test
    void refusesAWordOfPolicyItDoesNotKnow() {
        String text = ProxyCodec.encode(Samples.PROXY_CONFIG).replace("\"closed\"", "\"opne\"");
        assertThatThrownBy(() -> ProxyCodec.decodeConfig(text))
                .isInstanceOf(MalformedMessage.class)
                .hasMessage("workload.policy.access: not one of open, closed, audit: 'opne'");
    }

    @Test
    void namesTheElementOfAListThatIsWrong() {
        String text = ProxyCodec.encode(Samples.PROXY_CONFIG).replace("sa/reviews\"", "sa/Reviews\"");
        assertThatThrownBy(() -> ProxyCodec.decodeConfig(text))
                .isInstanceOf(MalformedMessage.class)
                .hasMessage(
                        "workload.identity: not an identity of the mesh: 'spiffe://cluster.local/ns/shop/sa/Reviews'");
        String source = ProxyCodec.encode(Samples.PROXY_CONFIG).replace("sa/web\"", "sa/we b\"");
        assertThatThrownBy(() -> ProxyCodec.decodeConfig(source))
                .hasMessageStartingWith("workload.policy.grants[0].sources[0]: ");
    }

    @Test
    void namesTheObjectThatIsWrongAsAWhole() {
        String text = ProxyCodec.encode(Samples.PROXY_CONFIG).replace("\"weight\" : 0", "\"weight\" : -5");
        assertThatThrownBy(() -> ProxyCodec.decodeConfig(text))
                .hasMessageMatching("destinations\\[1]\\.routes\\[1]\\.clusters\\[1]: weight of .* is -5, .*");
    }

    @Test
    void refusesALineBeyondItsLimitBeforeReadingIt() {
        String blank = " ".repeat(ProxyCodec.MAX_TO_CONTROLLER_BYTES);
        assertThatThrownBy(() -> ProxyCodec.decodeToController(blank + "{"))
                .isInstanceOf(MalformedMessage.class)
                .hasMessageContaining("more than");
        assertThatThrownBy(() -> ProxyCodec.decodeToController((blank + "{").getBytes(StandardCharsets.UTF_8)))
                .isInstanceOf(MalformedMessage.class)
                .hasMessageContaining("more than");
    }

    @Test
    void refusesDeeperNestingThanItsLimit() {
        Function<Integer, String> nested =
                depth -> "{\"type\":\"ack\",\"version\":1,\"later\":" + "[".repeat(depth) + "]".repeat(depth) + "}";
        assertThatCode(() -> ProxyCodec.decodeToController(nested.apply(ProxyCodec.MAX_NESTING - 1)))
                .doesNotThrowAnyException();
        assertThatThrownBy(() -> ProxyCodec.decodeToController(nested.apply(ProxyCodec.MAX_NESTING)))
                .isInstanceOf(MalformedMessage.class);
    }

    @Test
    void refusesBytesThatAreNotUtf8() {
        byte[] line = "{\"type\":\"nack\",\"version\":1,\"error\":\"x\"}".getBytes(StandardCharsets.UTF_8);
        line[line.length - 3] = (byte) 0xc0;
        assertThatThrownBy(() -> ProxyCodec.decodeToController(line)).isInstanceOf(MalformedMessage.class);
    }

    @Test
    void holdsTheLargestReportOfOrdinaryNamesInALine() {
        List<Long> latency = new ArrayList<>();
        for (long i = 0; i < LatencyBuckets.count(); i++) {
            latency.addAll(List.of(i, 1234L));
        }
        String name = "a-long-namespace-name/some-service-name";
        Report.Edge edge = new Report.Edge(
                Report.Direction.OUTBOUND,
                "spiffe://cluster.local/ns/a-long-namespace-name/sa/some-service-account",
                name,
                name,
                true,
                true,
                1_000_000,
                1_000_000,
                1_000_000,
                latency);
        Report.Denial denial = new Report.Denial(
                1L << 41, edge.peer(), 65535, "OPTIONS", "x".repeat(256), "unmeshed-denied", "y".repeat(512), false);
        Report report = new Report(
                Collections.nCopies(Report.MAX_EDGES, edge),
                Collections.nCopies(Report.MAX_DENIALS, denial),
                1,
                1,
                "0a");
        assertThat(ProxyCodec.encode(new ToController.Reported(report)).length())
                .isLessThan(ProxyCodec.MAX_TO_CONTROLLER_BYTES);
    }
}
