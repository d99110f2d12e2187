package dev.tulle.quickstart.apps;

import static java.util.Objects.requireNonNull;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What an application has received: a count, counts by the header {@code x-tour}, and the newest calls whole.
 *
 * <p>Bounded: {@value #RECENT} calls and {@value #TAGS} tags. Safe for use by many threads.
 */
public final class Seen {
    /** A request header by which whoever looks tells their own calls from the others. */
    public static final String TAG_HEADER = "x-tour";

    static final int RECENT = 200;
    static final int TAGS = 1000;

    private long total;
    private final Map<String, Long> byTag = new TreeMap<>();
    private final Deque<Call> recent = new ArrayDeque<>();

    /**
     * One call as the application received it.
     *
     * @param method HTTP method, {@code gRPC}, or the first word of a line of the key-value store
     * @param path path with query, gRPC method, or the rest of the line
     * @param headers names in lower case; several values of one name joined by {@code ", "}
     */
    public record Call(String method, String path, Map<String, String> headers) {
        public Call {
            requireNonNull(method, "method");
            requireNonNull(path, "path");
            headers = new TreeMap<>(headers);
        }
    }

    /**
     * All of it at one moment.
     *
     * @param total calls since the start
     * @param byTag calls by value of {@link #TAG_HEADER}
     * @param recent newest last
     */
    public record Snapshot(
            String app, String instance, String version, long total, Map<String, Long> byTag, List<Call> recent) {
        public Snapshot {
            byTag = new TreeMap<>(byTag);
            recent = List.copyOf(recent);
        }
    }

    synchronized void add(Call call) {
        total++;
        String tag = call.headers().get(TAG_HEADER);
        if (tag != null && (byTag.containsKey(tag) || byTag.size() < TAGS)) {
            byTag.merge(tag, 1L, Long::sum);
        }
        if (recent.size() == RECENT) {
            recent.removeFirst();
        }
        recent.addLast(call);
    }

    synchronized Snapshot snapshot(AppArguments app) {
        return new Snapshot(app.app(), app.instance(), app.version(), total, byTag, new ArrayList<>(recent));
    }
}
