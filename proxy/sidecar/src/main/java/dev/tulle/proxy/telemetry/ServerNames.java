package dev.tulle.proxy.telemetry;

import dev.tulle.proxy.model.Report.Direction;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/**
 * The names that applications ask for in TLS of their own, which the proxy passes through and cannot read otherwise.
 *
 * <p>No metric carries them: callers choose them. Safe for use by many threads; beyond the cap they are only counted.
 */
public final class ServerNames {
    /** Source: RFC 1035, 2.3.4. */
    private static final int MAX_NAME = 253;

    private final int most;
    private final Map<Seen, LongAdder> connections = new ConcurrentHashMap<>();
    private final LongAdder others = new LongAdder();

    /**
     * One name on one port.
     *
     * @param at outbound: the destination; inbound: the port as a number
     * @param name in lower case; letters, digits, dots, hyphens and underscores
     */
    public record Seen(Direction direction, String at, String name) {}

    /** @param most names that are remembered */
    ServerNames(int most) {
        this.most = most;
    }

    /**
     * Counts one connection; what is no host name counts among the others.
     *
     * @return whether this name was seen for the first time and is remembered
     */
    public boolean seen(Seen seen) {
        LongAdder known = connections.get(seen);
        if (known != null) {
            known.increment();
            return false;
        }
        if (!isHostName(seen.name()) || connections.size() >= most) {
            others.increment();
            return false;
        }
        LongAdder mine = new LongAdder();
        mine.increment();
        LongAdder first = connections.putIfAbsent(seen, mine);
        if (first != null) {
            first.increment();
        }
        return first == null;
    }

    /** As JSON, in a fixed order. */
    public String json() {
        List<Map.Entry<Seen, LongAdder>> sorted = connections.entrySet().stream()
                .sorted(Comparator.comparing((Map.Entry<Seen, LongAdder> entry) ->
                                entry.getKey().direction())
                        .thenComparing(entry -> entry.getKey().at())
                        .thenComparing(entry -> entry.getKey().name()))
                .toList();
        StringBuilder text = new StringBuilder("{\"serverNames\":[");
        for (Map.Entry<Seen, LongAdder> entry : sorted) {
            Seen seen = entry.getKey();
            text.append(text.charAt(text.length() - 1) == '[' ? "" : ",")
                    .append("{\"direction\":\"")
                    .append(seen.direction().name().toLowerCase(Locale.ROOT))
                    .append("\",\"at\":\"")
                    .append(seen.at())
                    .append("\",\"name\":\"")
                    .append(seen.name())
                    .append("\",\"connections\":")
                    .append(entry.getValue().sum())
                    .append('}');
        }
        return text.append("],\"others\":").append(others.sum()).append('}').toString();
    }

    private static boolean isHostName(String name) {
        return !name.isEmpty()
                && name.length() <= MAX_NAME
                && name.chars()
                        .allMatch(c -> (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || "-._".indexOf(c) >= 0);
    }
}
