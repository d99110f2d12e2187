package dev.tulle.controller.assemble;

import dev.tulle.controller.resources.NearestName;
import dev.tulle.controller.resources.ObjectRef;
import dev.tulle.controller.resources.Problems;
import dev.tulle.proxy.model.RateLimit;
import dev.tulle.proxy.model.Resilience;
import dev.tulle.proxy.model.Resilience.Capacity;
import dev.tulle.proxy.model.Resilience.Ejection;
import dev.tulle.proxy.model.Resilience.Fault;
import dev.tulle.proxy.model.Resilience.Retries;
import dev.tulle.proxy.model.Resilience.RetryOn;
import dev.tulle.proxy.model.Resilience.Timeouts;
import java.time.DateTimeException;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Reads what the annotations of a Service say of its resilience; pure, for whoever holds a Service: the controller, {@code lint}, an
 * admission webhook.
 *
 * <p>An annotation that is wrong is as if it were not there, and is a problem; the others hold.
 */
public final class ServiceAnnotations {
    private static final String PREFIX = AccessSettings.PREFIX;
    private static final String FIELD = "metadata.annotations.";

    private static final String TIMEOUT = PREFIX + "timeout";
    private static final String TIMEOUT_PER_TRY = PREFIX + "timeout-per-try";
    private static final String TIMEOUT_IDLE = PREFIX + "timeout-idle";
    private static final String RETRIES = PREFIX + "retries";
    private static final String RETRY_ON = PREFIX + "retry-on";
    private static final String RETRY_METHODS = PREFIX + "retry-methods";
    private static final String EJECT_AFTER = PREFIX + "eject-after";
    private static final String EJECT_FOR = PREFIX + "eject-for";
    private static final String MAX_CONNECTIONS = PREFIX + "max-connections";
    private static final String MAX_PENDING = PREFIX + "max-pending";
    private static final String MAX_REQUESTS = PREFIX + "max-requests";
    private static final String RATE_LIMIT = PREFIX + "rate-limit";
    private static final String FAULT = PREFIX + "fault";
    private static final String ZONE = PREFIX + "zone";

    private static final List<String> KNOWN = List.of(
            EJECT_AFTER,
            EJECT_FOR,
            FAULT,
            MAX_CONNECTIONS,
            MAX_PENDING,
            MAX_REQUESTS,
            RATE_LIMIT,
            RETRIES,
            RETRY_METHODS,
            RETRY_ON,
            TIMEOUT,
            TIMEOUT_IDLE,
            TIMEOUT_PER_TRY,
            ZONE);

    /** What a call is sent again for where nothing is said. */
    private static final Set<RetryOn> DEFAULT_RETRY_ON = EnumSet.of(
            RetryOn.SERVER_ERROR, RetryOn.CONNECT_FAILURE, RetryOn.RESET, RetryOn.REFUSED_STREAM, RetryOn.UNAVAILABLE);

    private static final long DEFAULT_EJECT_FOR_MILLIS = 10_000;
    private static final int MAX_AT_ONCE = 1_000_000;

    private static final Pattern DURATION = Pattern.compile("(\\d{1,9})(ms|s|m|h)");
    private static final Pattern METHOD = Pattern.compile("[A-Z][A-Z-]{0,31}");
    private static final Pattern RATE = Pattern.compile("(\\d{1,9})/(s|m|h)(?:\\s+burst\\s+(\\d{1,9}))?");
    private static final Pattern FAULT_SHAPE = Pattern.compile(
            "(abort|delay)\\s+(\\w+)\\s+(\\d{1,3}(?:\\.\\d{1,4})?)%\\s+until\\s+(\\S+)", Pattern.CASE_INSENSITIVE);
    private static final Pattern COMMAS = Pattern.compile("\\s*[,;]\\s*");
    private static final Pattern WORDS = Pattern.compile("[,\\s]+");

    private final ObjectRef service;
    private final Map<String, String> annotations;
    private final Problems problems;

    /**
     * What the annotations of one Service say.
     *
     * @param resilience for those who call it
     * @param rateLimit for the proxies of the workloads it selects
     */
    public record Said(Resilience resilience, Optional<RateLimit> rateLimit) {
        static final Said NOTHING = new Said(Resilience.NONE, Optional.empty());
    }

    private ServiceAnnotations(ObjectRef service, Map<String, String> annotations, Problems problems) {
        this.service = service;
        this.annotations = annotations;
        this.problems = problems;
    }

    /** Reads the annotations of a Service; those without our prefix are passed over. */
    public static Said read(ObjectRef service, SortedMap<String, String> annotations, Problems problems) {
        ServiceAnnotations reader = new ServiceAnnotations(service, annotations, problems);
        reader.unknown();
        Resilience resilience = new Resilience(
                reader.timeouts(),
                reader.retries(),
                reader.ejection(),
                new Capacity(reader.atOnce(MAX_CONNECTIONS), reader.atOnce(MAX_PENDING), reader.atOnce(MAX_REQUESTS)),
                reader.value(FAULT, ServiceAnnotations::faults, "nothing is made to fail")
                        .orElse(List.of()),
                reader.value(ZONE, ServiceAnnotations::zone, "every zone is as good")
                        .orElse(false));
        return new Said(
                resilience,
                reader.value(RATE_LIMIT, ServiceAnnotations::rateLimit, "every caller may ask as often as it likes"));
    }

    private void unknown() {
        for (String key : annotations.keySet()) {
            if (key.startsWith(PREFIX) && !KNOWN.contains(key)) {
                problems.warning(
                        service,
                        FIELD + key,
                        "no such annotation of a Service; %sthere are %s"
                                .formatted(NearestName.question(key, KNOWN), String.join(", ", KNOWN)),
                        "it says nothing");
            }
        }
    }

    private Timeouts timeouts() {
        Timeouts timeouts = new Timeouts(timeout(TIMEOUT), timeout(TIMEOUT_PER_TRY), timeout(TIMEOUT_IDLE));
        if (timeouts.totalMillis() > 0 && timeouts.perTryMillis() >= timeouts.totalMillis()) {
            problems.warning(
                    service,
                    FIELD + TIMEOUT_PER_TRY,
                    "%s is not less than %s, which ends the call first; make it smaller"
                            .formatted(annotations.get(TIMEOUT_PER_TRY), TIMEOUT),
                    "it never bites");
        }
        return timeouts;
    }

    private long timeout(String key) {
        return value(key, text -> millis(text, 1, Timeouts.MAX_MILLIS), "there is no such limit of time")
                .orElse(0L);
    }

    private Optional<Retries> retries() {
        Optional<Integer> most = value(RETRIES, text -> whole(text, 0, Retries.MAX), "nothing is sent again");
        Optional<Set<RetryOn>> on =
                value(RETRY_ON, ServiceAnnotations::retryOn, "it is sent again for the usual reasons");
        List<String> methods = value(
                        RETRY_METHODS, ServiceAnnotations::methods, "only idempotent methods are sent again")
                .orElse(List.of());
        if (most.isEmpty()) {
            for (String key : List.of(RETRY_ON, RETRY_METHODS)) {
                if (annotations.containsKey(key) && !annotations.containsKey(RETRIES)) {
                    problems.warning(
                            service,
                            FIELD + key,
                            "says nothing without %s; add it, for example with the value \"2\"".formatted(RETRIES),
                            "nothing is sent again");
                }
            }
        }
        if (most.orElse(0) == 0) {
            return Optional.empty();
        }
        if (on.isPresent() && on.get().stream().anyMatch(RetryOn::isGrpc) && !methods.contains("POST")) {
            problems.warning(
                    service,
                    FIELD + RETRY_ON,
                    "names statuses of gRPC, whose calls are all POST, which may not be sent twice unless you say so; "
                            + "if they may, add %s: POST".formatted(RETRY_METHODS),
                    "gRPC calls are sent again only if nothing can have happened yet");
        }
        return Optional.of(new Retries(most.get(), on.orElse(DEFAULT_RETRY_ON), methods));
    }

    private Optional<Ejection> ejection() {
        Optional<Integer> after =
                value(EJECT_AFTER, text -> whole(text, 1, Ejection.MAX_AFTER), "no endpoint is left out");
        long millis = value(
                        EJECT_FOR,
                        text -> millis(text, Ejection.MIN_FOR_MILLIS, Ejection.MAX_FOR_MILLIS),
                        "it is %d s".formatted(DEFAULT_EJECT_FOR_MILLIS / 1000))
                .orElse(DEFAULT_EJECT_FOR_MILLIS);
        if (annotations.containsKey(EJECT_FOR) && !annotations.containsKey(EJECT_AFTER)) {
            problems.warning(
                    service,
                    FIELD + EJECT_FOR,
                    "says nothing without %s; add it, for example with the value \"5\"".formatted(EJECT_AFTER),
                    "no endpoint is left out");
        }
        return after.map(failures -> new Ejection(failures, millis));
    }

    private int atOnce(String key) {
        return value(key, text -> whole(text, 1, MAX_AT_ONCE), "there is no such limit")
                .orElse(0);
    }

    /** A value, or absent when there is none or it is wrong; the reader throws IllegalArgumentException with a clause for people. */
    private <T> Optional<T> value(String key, Function<String, T> reader, String outcome) {
        String written = annotations.get(key);
        if (written == null) {
            return Optional.empty();
        }
        try {
            return Optional.of(reader.apply(written.strip()));
        } catch (IllegalArgumentException e) {
            problems.error(service, FIELD + key, "'%s' %s".formatted(shortened(written), e.getMessage()), outcome);
            return Optional.empty();
        }
    }

    private static String shortened(String text) {
        return text.length() <= 80 ? text : text.substring(0, 80) + "…";
    }

    private static IllegalArgumentException wrong(String clause) {
        return new IllegalArgumentException(clause);
    }

    private static int whole(String text, int least, int most) {
        if (text.matches("\\d{1,9}")) {
            int number = Integer.parseInt(text);
            if (number >= least && number <= most) {
                return number;
            }
        }
        throw wrong("is not a whole number from %d to %d".formatted(least, most));
    }

    private static long millis(String text, long least, long most) {
        Matcher parts = DURATION.matcher(text);
        if (parts.matches()) {
            long millis = Long.parseLong(parts.group(1)) * unitMillis(parts.group(2));
            if (millis >= least && millis <= most) {
                return millis;
            }
        }
        throw wrong("is not a time from %s to %s; write a whole number and ms, s, m or h, such as 500ms or 2s"
                .formatted(spelled(least), spelled(most)));
    }

    private static long unitMillis(String unit) {
        return switch (unit) {
            case "ms" -> 1;
            case "s" -> 1000;
            case "m" -> 60_000;
            default -> 3_600_000;
        };
    }

    /** The unit of a rate over so many milliseconds, as it is written. */
    static String unitOf(long millis) {
        return spelled(millis).replaceFirst("^1(?=[a-z])", "");
    }

    /** A time as it may be written. */
    static String spelled(long millis) {
        for (String unit : List.of("h", "m", "s")) {
            if (millis % unitMillis(unit) == 0) {
                return millis / unitMillis(unit) + unit;
            }
        }
        return millis + "ms";
    }

    private static Set<RetryOn> retryOn(String text) {
        Set<RetryOn> on = EnumSet.noneOf(RetryOn.class);
        for (String word : WORDS.splitAsStream(text).toList()) {
            on.add(RetryOn.ofWireName(word)
                    .orElseThrow(() -> wrong("has the word '%s', which is none of %s"
                            .formatted(
                                    shortened(word),
                                    EnumSet.allOf(RetryOn.class).stream()
                                            .map(RetryOn::wireName)
                                            .collect(Collectors.joining(", "))))));
        }
        return on;
    }

    private static List<String> methods(String text) {
        Set<String> methods = new TreeSet<>();
        for (String word : WORDS.splitAsStream(text).toList()) {
            if (!METHOD.matcher(word).matches()) {
                throw wrong("has '%s', which is not a method such as POST; write methods in upper case with commas"
                        .formatted(shortened(word)));
            }
            methods.add(word);
        }
        return List.copyOf(methods);
    }

    private static RateLimit rateLimit(String text) {
        Matcher parts = RATE.matcher(text);
        if (parts.matches()) {
            int requests = whole(parts.group(1), 1, RateLimit.MAX);
            long perMillis = unitMillis(parts.group(2));
            int aSecond = (int) Math.max(1, requests * 1000L / perMillis);
            int burst = parts.group(3) == null ? aSecond : whole(parts.group(3), 1, RateLimit.MAX);
            return new RateLimit(requests, perMillis, burst);
        }
        throw wrong("is not a rate; write a whole number, a slash and s, m or h, such as 100/s, if need be with "
                + "a burst: 100/s burst 200");
    }

    private static List<Fault> faults(String text) {
        List<Fault> faults = new ArrayList<>();
        for (String part : COMMAS.splitAsStream(text).toList()) {
            faults.add(fault(part));
        }
        if (faults.size() > Resilience.MAX_FAULTS) {
            throw wrong("has %d faults, more than %d".formatted(faults.size(), Resilience.MAX_FAULTS));
        }
        return faults;
    }

    private static Fault fault(String text) {
        Matcher parts = FAULT_SHAPE.matcher(text);
        if (!parts.matches()) {
            throw wrong(
                    text.contains("until")
                            ? "is not a fault; write 'abort 503 10% until 2026-12-01T00:00:00Z' or 'delay 200ms 5% until …'"
                            : "has no end; add 'until' and a time, such as until 2026-12-01T00:00:00Z");
        }
        int perMillion = (int) Math.round(Double.parseDouble(parts.group(3)) * 10_000);
        if (perMillion < 1 || perMillion > 1_000_000) {
            throw wrong("hits %s%% of all requests, not 0.0001%% to 100%%".formatted(parts.group(3)));
        }
        long until = until(parts.group(4));
        return parts.group(1).equalsIgnoreCase("abort")
                ? new Fault.Abort(whole(parts.group(2), 200, 599), perMillion, until)
                : new Fault.Delay(millis(parts.group(2), 1, Fault.Delay.MAX_MILLIS), perMillion, until);
    }

    private static long until(String text) {
        try {
            return OffsetDateTime.parse(text).toInstant().toEpochMilli();
        } catch (DateTimeException | ArithmeticException e) {
            throw wrong("ends at '%s', which is not a time with its zone, such as 2026-12-01T00:00:00Z"
                    .formatted(shortened(text)));
        }
    }

    private static boolean zone(String text) {
        return switch (text) {
            case "prefer" -> true;
            case "any" -> false;
            default -> throw wrong("is not one of any, prefer");
        };
    }
}
