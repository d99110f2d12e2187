package dev.tulle.controller.inject;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.tulle.smi.convert.Weights;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads the annotations {@code config.tulle.dev/…} of a pod, with those of its namespace where the pod says nothing.
 *
 * <p>Strict: a word that is not known or a value that does not fit is a problem, never a default. Whoever writes such an annotation
 * needs it to work: a port that was to be left alone and is not can break a database.
 */
public final class TuningAnnotations {
    /** What every word begins with. */
    public static final String PREFIX = "config.tulle.dev/";

    static final String SKIP_INBOUND_PORTS = "skip-inbound-ports";
    static final String SKIP_OUTBOUND_PORTS = "skip-outbound-ports";
    static final String SKIP_OUTBOUND_CIDRS = "skip-outbound-cidrs";
    /** The word that Services may have, too. */
    public static final String OPAQUE_PORTS = "opaque-ports";

    static final String CPU_REQUEST = "proxy-cpu-request";
    static final String CPU_LIMIT = "proxy-cpu-limit";
    static final String MEMORY_REQUEST = "proxy-memory-request";
    static final String MEMORY_LIMIT = "proxy-memory-limit";
    static final String LOG_LEVEL = "proxy-log-level";
    static final String METRICS = "metrics";
    static final String CONCURRENCY = "proxy-concurrency";
    static final String PRE_STOP_SECONDS = "pre-stop-seconds";
    static final String SHUTDOWN_GRACE = "shutdown-grace";

    /** Every word, in the order of the alphabet. */
    public static final List<String> WORDS = List.of(
            METRICS,
            OPAQUE_PORTS,
            PRE_STOP_SECONDS,
            CONCURRENCY,
            CPU_LIMIT,
            CPU_REQUEST,
            LOG_LEVEL,
            MEMORY_LIMIT,
            MEMORY_REQUEST,
            SHUTDOWN_GRACE,
            SKIP_INBOUND_PORTS,
            SKIP_OUTBOUND_CIDRS,
            SKIP_OUTBOUND_PORTS);

    /** What Open Service Mesh calls the same, on pods. */
    private static final Map<String, String> OSM_WORDS = Map.of(
            "openservicemesh.io/inbound-port-exclusion-list", SKIP_INBOUND_PORTS,
            "openservicemesh.io/outbound-port-exclusion-list", SKIP_OUTBOUND_PORTS,
            "openservicemesh.io/outbound-ip-range-exclusion-list", SKIP_OUTBOUND_CIDRS);

    static final int DEFAULT_PRE_STOP_SECONDS = 3;
    private static final int DEFAULT_DRAIN_SECONDS = 30;
    private static final int DEFAULT_GRACE_SECONDS = 30;
    private static final int MAX_SECONDS = 3600;
    private static final int MAX_ENTRIES = 100;
    private static final int MAX_CONCURRENCY = 64;
    private static final String LEAST_MEMORY = "64Mi";
    private static final String MOST_MEMORY = "16Gi";
    private static final String LEAST_CPU = "1m";
    private static final String MOST_CPU = "64";
    private static final List<String> DIALECTS = List.of("linkerd", "osm");
    private static final List<String> LOG_LEVELS = List.of("debug", "info", "warn", "error");

    private static final Pattern PORTS = Pattern.compile("([1-9]\\d{0,4})(?:-([1-9]\\d{0,4}))?");
    private static final Pattern TIME = Pattern.compile("(\\d{1,6})(s|m)?");
    private static final Pattern CIDR = Pattern.compile("([0-9a-fA-F.:]{2,45})/(\\d{1,3})");
    private static final String OCTET = "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
    private static final Pattern IPV4 = Pattern.compile("(%1$s\\.){3}%1$s".formatted(OCTET));
    private static final Pattern COMMAS = Pattern.compile("\\s*,\\s*");
    private static final int LONGEST_QUOTE = 80;

    private final List<String> problems;
    private final Map<String, Written> written = new TreeMap<>();

    /** A value and where it stands, for messages. */
    private record Written(String value, String place) {}

    private TuningAnnotations(List<String> problems) {
        this.problems = problems;
    }

    /**
     * What the annotations of a pod and its namespace ask for.
     *
     * @param osm whether the exclusion lists of Open Service Mesh count where ours say nothing
     * @param problems what is wrong is added here, one sentence each
     */
    static Tuning read(PodView pod, NamespaceView namespace, boolean osm, List<String> problems) {
        TuningAnnotations reader = new TuningAnnotations(problems);
        reader.take(namespace.annotations(), namespace.toString());
        if (osm) {
            OSM_WORDS.forEach((theirs, ours) -> {
                String value = pod.annotations().get(theirs);
                if (value != null) {
                    reader.written.put(ours, new Written(value, "annotation %s of %s".formatted(theirs, pod)));
                }
            });
        }
        reader.take(pod.annotations(), pod.toString());
        return reader.tuning(pod.spec());
    }

    /** What is wrong with the annotations of an object that may carry them: one sentence each. */
    public static List<String> problems(Map<String, String> annotations, String object) {
        List<String> problems = new ArrayList<>();
        TuningAnnotations reader = new TuningAnnotations(problems);
        reader.take(annotations, object);
        reader.tuning(TextNode.valueOf(""));
        return problems;
    }

    private void take(Map<String, String> annotations, String object) {
        annotations.forEach((key, value) -> {
            if (key.startsWith(PREFIX)) {
                String word = key.substring(PREFIX.length());
                if (WORDS.contains(word)) {
                    written.put(word, new Written(value.strip(), "annotation %s of %s".formatted(key, object)));
                } else {
                    problems.add("annotation %s of %s is not known: correct its name, or remove it; there are %s"
                            .formatted(key, object, String.join(", ", WORDS)));
                }
            }
        });
    }

    private Tuning tuning(JsonNode spec) {
        int grace = spec.path("terminationGracePeriodSeconds").asInt(DEFAULT_GRACE_SECONDS);
        read(OPAQUE_PORTS, TuningAnnotations::ports, List.of());
        String cpuRequest = read(CPU_REQUEST, text -> quantity(text, LEAST_CPU, MOST_CPU), "10m");
        Optional<String> cpuLimit =
                read(CPU_LIMIT, text -> Optional.of(quantity(text, LEAST_CPU, MOST_CPU)), Optional.empty());
        String memoryLimit = read(MEMORY_LIMIT, text -> quantity(text, LEAST_MEMORY, MOST_MEMORY), "256Mi");
        String memoryRequest =
                read(MEMORY_REQUEST, text -> quantity(text, "1Mi", MOST_MEMORY), smaller("96Mi", memoryLimit));
        notAbove(MEMORY_REQUEST, memoryRequest, MEMORY_LIMIT, Optional.of(memoryLimit));
        notAbove(CPU_REQUEST, cpuRequest, CPU_LIMIT, cpuLimit);
        return new Tuning(
                read(SKIP_INBOUND_PORTS, TuningAnnotations::ports, List.of()),
                read(SKIP_OUTBOUND_PORTS, TuningAnnotations::ports, List.of()),
                read(SKIP_OUTBOUND_CIDRS, TuningAnnotations::cidrs, List.of()),
                cpuRequest,
                cpuLimit,
                memoryRequest,
                memoryLimit,
                read(LOG_LEVEL, text -> Optional.of(oneOf(text, LOG_LEVELS)), Optional.empty()),
                read(METRICS, TuningAnnotations::dialects, List.of()),
                read(CONCURRENCY, text -> Optional.of(whole(text, 1, MAX_CONCURRENCY)), Optional.empty()),
                preStop(spec, grace),
                drain(spec, grace));
    }

    /** The API server refuses a pod whose hook is as long as its grace, so a short grace shortens the default. */
    private int preStop(JsonNode spec, int grace) {
        int most = spec.isObject() ? Math.clamp(grace - 1L, 0, MAX_SECONDS) : MAX_SECONDS;
        return read(
                PRE_STOP_SECONDS,
                text -> {
                    int seconds = whole(text, 0, MAX_SECONDS);
                    if (seconds > most) {
                        throw wrong(
                                "must be less than terminationGracePeriodSeconds, which is %d: lower it, or raise that"
                                        .formatted(grace));
                    }
                    return seconds;
                },
                Math.min(DEFAULT_PRE_STOP_SECONDS, most));
    }

    private int drain(JsonNode spec, int grace) {
        int most = spec.isObject() ? Math.clamp(grace, 1, MAX_SECONDS) : MAX_SECONDS;
        return read(
                SHUTDOWN_GRACE,
                text -> {
                    int seconds = seconds(text);
                    if (seconds > most) {
                        throw wrong(
                                "is more than terminationGracePeriodSeconds, which is %d and ends the pod: lower it, or raise that"
                                        .formatted(grace));
                    }
                    return seconds;
                },
                Math.min(DEFAULT_DRAIN_SECONDS, most));
    }

    private void notAbove(String requestWord, String request, String limitWord, Optional<String> limit) {
        if (limit.isPresent() && amount(request).compareTo(amount(limit.get())) > 0) {
            Written place = written.getOrDefault(limitWord, written.get(requestWord));
            problems.add("%s is '%s': the request of the proxy is %s and its limit %s; the limit must not be smaller"
                    .formatted(
                            place == null ? requestWord : place.place(),
                            place == null ? request : place.value(),
                            request,
                            limit.get()));
        }
    }

    /** A value; the default when there is none or it is wrong. The reader throws IllegalArgumentException with a clause for people. */
    private <T> T read(String word, Function<String, T> reader, T otherwise) {
        Written here = written.get(word);
        if (here == null) {
            return otherwise;
        }
        try {
            return reader.apply(here.value());
        } catch (IllegalArgumentException e) {
            problems.add("%s is '%s': %s".formatted(here.place(), shortened(here.value()), e.getMessage()));
            return otherwise;
        }
    }

    private static IllegalArgumentException wrong(String clause) {
        return new IllegalArgumentException(clause);
    }

    static String shortened(String text) {
        String printable = text.replaceAll("\\p{C}", "?");
        return printable.length() <= LONGEST_QUOTE ? printable : printable.substring(0, LONGEST_QUOTE) + "…";
    }

    private static List<String> entries(String text) {
        List<String> entries = COMMAS.splitAsStream(text.strip())
                .filter(entry -> !entry.isEmpty())
                .distinct()
                .toList();
        if (entries.size() > MAX_ENTRIES) {
            throw wrong("has %d entries, more than %d".formatted(entries.size(), MAX_ENTRIES));
        }
        return entries;
    }

    private static List<String> ports(String text) {
        for (String entry : entries(text)) {
            Matcher parts = PORTS.matcher(entry);
            boolean fits = parts.matches() && isPort(parts.group(1));
            if (fits && parts.group(2) != null) {
                fits = isPort(parts.group(2)) && Integer.parseInt(parts.group(1)) < Integer.parseInt(parts.group(2));
            }
            if (!fits) {
                throw wrong(
                        "'%s' is no port: write numbers from 1 to 65535 and ranges with commas, such as 3306,8000-8100"
                                .formatted(shortened(entry)));
            }
        }
        return entries(text);
    }

    private static boolean isPort(String digits) {
        return Integer.parseInt(digits) <= 65_535;
    }

    private static List<String> cidrs(String text) {
        for (String entry : entries(text)) {
            Matcher parts = CIDR.matcher(entry);
            boolean fits = parts.matches() && isAddress(parts.group(1));
            if (!fits || Integer.parseInt(parts.group(2)) > (parts.group(1).contains(":") ? 128 : 32)) {
                throw wrong("'%s' is no network: write address and length with commas, such as 10.0.0.0/8,fd00::/8"
                        .formatted(shortened(entry)));
            }
        }
        return entries(text);
    }

    private static boolean isAddress(String text) {
        return text.contains(":") ? isIpv6(text) : IPV4.matcher(text).matches();
    }

    private static boolean isIpv6(String text) {
        String[] halves = text.split("::", -1);
        int groups = 0;
        for (String half : halves) {
            for (String group : half.isEmpty() ? new String[0] : half.split(":", -1)) {
                if (!group.matches("[0-9a-fA-F]{1,4}")) {
                    return false;
                }
                groups++;
            }
        }
        return halves.length == 1 ? groups == 8 : halves.length == 2 && groups < 8;
    }

    private static String quantity(String text, String least, String most) {
        if (Weights.amount(TextNode.valueOf(text)).isPresent()
                && amount(text).compareTo(amount(least)) >= 0
                && amount(text).compareTo(amount(most)) <= 0) {
            return text;
        }
        throw wrong("write a Kubernetes quantity from %s to %s, such as %s"
                .formatted(least, most, most.endsWith("i") ? "128Mi" : "100m"));
    }

    private static BigDecimal amount(String quantity) {
        return Weights.amount(TextNode.valueOf(quantity)).orElseThrow();
    }

    private static String smaller(String one, String other) {
        return amount(one).compareTo(amount(other)) <= 0 ? one : other;
    }

    private static int whole(String text, int least, int most) {
        if (text.matches("\\d{1,6}")) {
            int number = Integer.parseInt(text);
            if (number >= least && number <= most) {
                return number;
            }
        }
        throw wrong("write a whole number from %d to %d".formatted(least, most));
    }

    private static int seconds(String text) {
        Matcher parts = TIME.matcher(text);
        if (parts.matches()) {
            int seconds = Integer.parseInt(parts.group(1)) * ("m".equals(parts.group(2)) ? 60 : 1);
            if (seconds >= 1 && seconds <= MAX_SECONDS) {
                return seconds;
            }
        }
        throw wrong("write a time from 1s to 60m, such as 45s");
    }

    private static List<String> dialects(String text) {
        return entries(text).stream().map(entry -> oneOf(entry, DIALECTS)).toList();
    }

    private static String oneOf(String text, List<String> words) {
        if (words.contains(text)) {
            return text;
        }
        throw wrong("write one of %s".formatted(String.join(", ", words)));
    }
}
