package dev.tulle.controller.report;

import static java.util.Objects.requireNonNull;

import dev.tulle.proxy.model.Report;
import dev.tulle.proxy.model.Report.Direction;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.WorkloadId;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The last ten minutes of all proxies' reports.
 *
 * <p>Counts are kept in slices of ten seconds by edge, at most {@value #MAX_EDGES} edges; what comes from more is counted in one
 * edge of its reporter without names. So at worst some 100 MB are held, and idle edges cost nothing after ten minutes. Safe for all
 * threads.
 */
public final class TrafficWindow {
    /** Most edges held at once. */
    static final int MAX_EDGES = 2000;

    /** Most denials held, and shown. */
    public static final int MAX_DENIALS = 200;

    /** How far back it reaches. */
    public static final Duration LENGTH = Duration.ofMinutes(10);

    /** In what pieces time is counted. */
    public static final Duration SLICE = Duration.ofSeconds(10);

    private static final Duration REPORT_INTERVAL = Duration.ofSeconds(5);
    private static final int MAX_NAME = 300;
    private static final String OTHER = "other";

    private final Clock clock;
    private final Map<EdgeKey, Deque<Slice>> edges = new HashMap<>();
    private final Map<ActKey, Deque<ActSlice>> acts = new HashMap<>();
    private final Deque<SeenDenial> denials = new ArrayDeque<>();
    private long overflowed;

    public TrafficWindow(Clock clock) {
        this.clock = requireNonNull(clock, "clock");
    }

    /** Takes in what a proxy saw since its last report. */
    public synchronized void add(WorkloadId reporter, Report report) {
        Instant now = clock.instant();
        long slice = sliceOf(now);
        forget(slice);
        for (Report.Edge edge : report.edges()) {
            EdgeKey key = keyOf(reporter, edge);
            if (!edges.containsKey(key) && edges.size() >= MAX_EDGES) {
                overflowed++;
                key = new EdgeKey(edge.direction(), reporter, OTHER, OTHER, OTHER, edge.http(), edge.mtls());
                if (!edges.containsKey(key) && edges.size() >= 2 * MAX_EDGES) {
                    continue;
                }
            }
            Deque<Slice> slices = edges.computeIfAbsent(key, unknown -> new ArrayDeque<>());
            if (slices.isEmpty() || slices.getLast().number() != slice) {
                slices.addLast(new Slice(slice, new Tally()));
            }
            slices.getLast().tally().add(edge.requests(), edge.failures(), edge.denied(), edge.latency());
        }
        for (Report.Act act : report.acts()) {
            ActKey key = new ActKey(reporter, shortened(act.service()), shortened(act.what()));
            if (acts.containsKey(key) || acts.size() < MAX_EDGES) {
                Deque<ActSlice> slices = acts.computeIfAbsent(key, unknown -> new ArrayDeque<>());
                if (!slices.isEmpty() && slices.getLast().number() == slice) {
                    ActSlice before = slices.removeLast();
                    slices.addLast(new ActSlice(slice, before.count() + act.count(), act.now()));
                } else {
                    slices.addLast(new ActSlice(slice, act.count(), act.now()));
                }
            } else {
                overflowed++;
            }
        }
        for (Report.Denial denial : report.denials()) {
            denials.addFirst(new SeenDenial(reporter, denial));
            if (denials.size() > MAX_DENIALS) {
                denials.removeLast();
            }
        }
    }

    /** Traffic of the newest part of the window, by edge, in no order; edges without any traffic in it are left out. */
    public synchronized List<EdgeTraffic> edges(Duration window) {
        Instant now = clock.instant();
        forget(sliceOf(now));
        long from = sliceOf(now.minus(window));
        List<EdgeTraffic> found = new ArrayList<>();
        edges.forEach((key, slices) -> {
            Tally sum = new Tally();
            for (Slice slice : slices) {
                if (slice.number() >= from) {
                    sum.absorb(slice.tally());
                }
            }
            if (sum.requests() > 0 || sum.denied() > 0) {
                // A report tells of the five seconds before it, so an edge is that much older than its first slice.
                Instant first = startOf(slices.getFirst().number()).minus(REPORT_INTERVAL);
                Instant start = startOf(from).isAfter(first) ? startOf(from) : first;
                found.add(new EdgeTraffic(key, sum.over(Duration.between(start, now))));
            }
        });
        return found;
    }

    /**
     * Traffic of the newest slices that are over, so that it is of exactly as long as was asked for; edges without any are left out.
     *
     * @param length whole slices, {@link #SLICE} to {@link #LENGTH} less one
     */
    public synchronized WholeSlices whole(Duration length) {
        Instant now = clock.instant();
        forget(sliceOf(now));
        long until = sliceOf(now);
        long from = until - length.dividedBy(SLICE);
        List<EdgeTraffic> found = new ArrayList<>();
        edges.forEach((key, slices) -> {
            Tally sum = new Tally();
            for (Slice slice : slices) {
                if (slice.number() >= from && slice.number() < until) {
                    sum.absorb(slice.tally());
                }
            }
            if (sum.requests() > 0 || sum.denied() > 0) {
                found.add(new EdgeTraffic(key, sum.over(length)));
            }
        });
        return new WholeSlices(startOf(from), startOf(until), found);
    }

    /** What resilience did in the newest part of the window, in no order; what did nothing in it is left out. */
    public synchronized List<ActSeen> acts(Duration window) {
        Instant now = clock.instant();
        forget(sliceOf(now));
        long from = sliceOf(now.minus(window));
        long fresh = sliceOf(now) - 1;
        List<ActSeen> found = new ArrayList<>();
        acts.forEach((key, slices) -> {
            long count = 0;
            for (ActSlice slice : slices) {
                count += slice.number() >= from ? slice.count() : 0;
            }
            // A state that lasts is told with each report, so an older one has passed.
            long lasting = slices.getLast().number() >= fresh ? slices.getLast().now() : 0;
            if (count > 0 || lasting > 0) {
                found.add(new ActSeen(key, count, lasting));
            }
        });
        return found;
    }

    /** The newest denials, newest first. */
    public synchronized List<SeenDenial> denials() {
        return List.copyOf(denials);
    }

    /** How many entries of reports were counted without their names, because there were too many. */
    public synchronized long overflowed() {
        return overflowed;
    }

    private void forget(long now) {
        long oldest = now - LENGTH.dividedBy(SLICE);
        edges.values().removeIf(slices -> {
            while (!slices.isEmpty() && slices.getFirst().number() <= oldest) {
                slices.removeFirst();
            }
            return slices.isEmpty();
        });
        acts.values().removeIf(slices -> {
            while (!slices.isEmpty() && slices.getFirst().number() <= oldest) {
                slices.removeFirst();
            }
            return slices.isEmpty();
        });
    }

    private static EdgeKey keyOf(WorkloadId reporter, Report.Edge edge) {
        String peer = edge.peer().isEmpty() || SpiffeId.parse(edge.peer()).isPresent() ? edge.peer() : OTHER;
        return new EdgeKey(
                edge.direction(),
                reporter,
                peer,
                shortened(edge.service()),
                shortened(edge.backend()),
                edge.http(),
                edge.mtls());
    }

    private static String shortened(String name) {
        return name.length() <= MAX_NAME ? name : OTHER;
    }

    private static long sliceOf(Instant time) {
        return time.toEpochMilli() / SLICE.toMillis();
    }

    private static Instant startOf(long slice) {
        return Instant.ofEpochMilli(slice * SLICE.toMillis());
    }

    private record Slice(long number, Tally tally) {}

    private record ActSlice(long number, long count, long now) {}

    /**
     * One thing that resilience does.
     *
     * @param reporter whose proxy did it
     * @param service the Service that was called, or the reporter's port as a number
     * @param what a word of a closed set; see {@link Report.Act}
     */
    public record ActKey(WorkloadId reporter, String service, String what) {
        public ActKey {
            requireNonNull(reporter, "reporter");
            requireNonNull(service, "service");
            requireNonNull(what, "what");
        }
    }

    /** How often it was done, and how many it holds just now. */
    public record ActSeen(ActKey key, long count, long now) {
        public ActSeen {
            requireNonNull(key, "key");
        }
    }

    /**
     * One kind of traffic as one proxy sees it.
     *
     * @param direction seen from the reporter
     * @param reporter whose proxy counted
     * @param peer identity of the other side as URI; empty for one without identity
     * @param service outbound: the Service that was called
     * @param backend outbound: the cluster that was chosen; inbound: the port
     * @param http whether requests were counted; else connections
     * @param mtls whether it went over mutual TLS
     */
    public record EdgeKey(
            Direction direction,
            WorkloadId reporter,
            String peer,
            String service,
            String backend,
            boolean http,
            boolean mtls) {
        public EdgeKey {
            requireNonNull(direction, "direction");
            requireNonNull(reporter, "reporter");
            requireNonNull(peer, "peer");
            requireNonNull(service, "service");
            requireNonNull(backend, "backend");
        }
    }

    /** An edge and what went over it. */
    public record EdgeTraffic(EdgeKey key, Tally tally) {
        public EdgeTraffic {
            requireNonNull(key, "key");
            requireNonNull(tally, "tally");
        }
    }

    /** Traffic that was reported in a stretch of time, in no order. */
    public record WholeSlices(Instant from, Instant until, List<EdgeTraffic> edges) {
        public WholeSlices {
            requireNonNull(from, "from");
            requireNonNull(until, "until");
            edges = List.copyOf(edges);
        }
    }

    /** A call that was refused, and by whom. */
    public record SeenDenial(WorkloadId reporter, Report.Denial denial) {
        public SeenDenial {
            requireNonNull(reporter, "reporter");
            requireNonNull(denial, "denial");
        }
    }
}
