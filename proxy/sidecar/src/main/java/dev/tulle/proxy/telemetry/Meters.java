package dev.tulle.proxy.telemetry;

import dev.tulle.proxy.model.Report;
import dev.tulle.proxy.model.WorkloadId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/** Everything the proxy counts; one for the whole process, safe for use by many threads. */
public final class Meters {
    /** Stands for all that is beyond a cap. */
    static final String OTHER = "other";

    /** The common edges: two directions, HTTP or not, mTLS or not. */
    private static final int COMMON_EDGES = 8;

    private static final int MAX_WORDS = 64;
    private static final int STATUSES = 1000;
    private static final int MAX_TEXT = 256;
    private static final int MAX_PEER = 800;
    private static final int MAX_METHOD = 32;

    /** Edges of one report: so many of the longest still fit into one line of the stream. */
    static final int EDGES_PER_REPORT = 64;

    /** Acts of one report: so many fit into its line beside edges and denials. */
    private static final int MAX_ACTS_PER_REPORT = 200;

    private final int maxEdges;
    private final Map<EdgeMeter.Key, EdgeMeter> edges = new ConcurrentHashMap<>();
    private final AtomicInteger edgeCount = new AtomicInteger();
    private final Map<Report.Direction, Traffic> traffic = new EnumMap<>(Report.Direction.class);
    private final Map<String, ActMeter> acts = new ConcurrentHashMap<>();
    private final Words limitHits = new Words();
    private final Words denied = new Words();
    private final Words audited = new Words();
    private final Map<Report.Direction, Words> handshakeFailures = new EnumMap<>(Report.Direction.class);
    private final AtomicLongArray statuses = new AtomicLongArray(STATUSES);
    private final AtomicLongArray failed = new AtomicLongArray(STATUSES);
    private final EdgeMeter.Latencies served = new EdgeMeter.Latencies();
    private final AtomicReferenceArray<Report.@Nullable Denial> denials =
            new AtomicReferenceArray<>(Report.MAX_DENIALS);
    private final AtomicInteger nextDenial = new AtomicInteger();
    private final ControlMeters control = new ControlMeters();
    private final ServerNames serverNames;
    private volatile Optional<Served> workload = Optional.empty();

    /** Whose requests are counted: the labels of the server side. */
    record Served(WorkloadId workload, String owner) {}

    /** Connections and bytes of one direction. */
    static final class Traffic {
        final LongAdder opened = new LongAdder();
        final LongAdder closed = new LongAdder();
        final LongAdder received = new LongAdder();
        final LongAdder sent = new LongAdder();
    }

    /** A counter for each word of a closed set; capped all the same. */
    static final class Words {
        private final Map<String, LongAdder> counts = new ConcurrentHashMap<>();

        void count(String word) {
            LongAdder counter = counts.get(word);
            if (counter == null) {
                counter = counts.computeIfAbsent(counts.size() < MAX_WORDS ? word : OTHER, w -> new LongAdder());
            }
            counter.increment();
        }

        Map<String, LongAdder> counts() {
            return Collections.unmodifiableMap(counts);
        }
    }

    /** @param maxSeries distinct edges, at most {@link Report#MAX_EDGES} of them; and server names */
    public Meters(int maxSeries) {
        serverNames = new ServerNames(maxSeries);
        maxEdges = Math.max(0, Math.min(maxSeries, Report.MAX_EDGES) - COMMON_EDGES);
        for (Report.Direction direction : Report.Direction.values()) {
            traffic.put(direction, new Traffic());
            handshakeFailures.put(direction, new Words());
        }
    }

    /** What applications ask for in TLS of their own. */
    public ServerNames serverNames() {
        return serverNames;
    }

    /**
     * The meter of the traffic with one peer; look it up once a connection (inbound) or once a chosen backend (outbound) and keep it.
     *
     * @param peer identity of the other side as URI; empty for one without identity
     * @param service inbound: empty; outbound: the Service that was called, {@code namespace/name}
     * @param backend inbound: the port as a number; outbound: the cluster that was chosen
     * @param http whether HTTP requests are counted; else connections
     * @param mtls whether it goes over mutual TLS
     * @return one meter for equal arguments; beyond {@code maxSeries} a common one whose peer is {@code other}
     */
    public EdgeMeter edge(
            Report.Direction direction, String peer, String service, String backend, boolean http, boolean mtls) {
        EdgeMeter.Key key = new EdgeMeter.Key(direction, peer, service, backend, http, mtls);
        EdgeMeter known = edges.get(key);
        if (known != null) {
            return known;
        }
        if (edgeCount.get() >= maxEdges) {
            limitHit("max_series");
            return edges.computeIfAbsent(
                    new EdgeMeter.Key(direction, OTHER, "", OTHER, http, mtls), k -> new EdgeMeter(k, this));
        }
        return edges.computeIfAbsent(key, k -> {
            edgeCount.incrementAndGet();
            return new EdgeMeter(k, this);
        });
    }

    /**
     * The meter of what resilience does to calls; look it up once and keep it.
     *
     * @param service outbound: the Service that is called, {@code namespace/name}; inbound: the port as a number
     * @return one meter for equal arguments; beyond {@code maxSeries} a common one called {@code other}
     */
    public ActMeter acts(String service) {
        ActMeter known = acts.get(service);
        if (known != null) {
            return known;
        }
        if (acts.size() >= maxEdges) {
            limitHit("max_series");
            return acts.computeIfAbsent(OTHER, ActMeter::new);
        }
        return acts.computeIfAbsent(service, ActMeter::new);
    }

    /** A connection was accepted by a listener of this direction; pair it with {@link #connectionClosed}. */
    public void connectionOpened(Report.Direction direction) {
        traffic(direction).opened.increment();
    }

    /** A connection that was counted as opened has ended. */
    public void connectionClosed(Report.Direction direction) {
        traffic(direction).closed.increment();
    }

    /** Bytes of a connection since it was last told, seen from this proxy towards the side that opened it; both 0 or more. */
    public void bytes(Report.Direction direction, long received, long sent) {
        traffic(direction).received.add(received);
        traffic(direction).sent.add(sent);
    }

    /** A limit of {@code Limits} bit. {@code name} is the component in snake case, from a closed set. */
    public void limitHit(String name) {
        limitHits.count(name);
    }

    /** A TLS handshake failed; {@code cause} is a word of a closed set. */
    public void handshakeFailed(Report.Direction direction, String cause) {
        words(direction).count(cause);
    }

    /** What is counted of identity and config. */
    public ControlMeters control() {
        return control;
    }

    /** Names whose requests are served here; from then on their series exist, at 0. */
    public void serves(WorkloadId workload, String owner) {
        this.workload = Optional.of(new Served(workload, owner));
    }

    /** Connections that are open now, all listeners together. */
    public long openConnections() {
        long open = 0;
        for (Traffic one : traffic.values()) {
            open += one.opened.sum() - one.closed.sum();
        }
        return Math.max(0, open);
    }

    /**
     * What happened since the last call, in reports that each fit into one line of the stream; at least one. One thread.
     *
     * <p>What it gives is forgotten here: call it only when it can be sent.
     */
    public List<Report> drain() {
        List<Report.Edge> changed = new ArrayList<>();
        for (EdgeMeter edge : edges.values()) {
            edge.drain().ifPresent(changed::add);
        }
        List<Report> reports = new ArrayList<>();
        List<Report.Denial> newest = drainDenials();
        List<Report.Act> acted = drainActs();
        for (int from = 0; from == 0 || from < changed.size(); from += EDGES_PER_REPORT) {
            reports.add(new Report(
                    changed.subList(from, Math.min(changed.size(), from + EDGES_PER_REPORT)),
                    from == 0 ? newest : List.of(),
                    from == 0 ? acted : List.of(),
                    openConnections(),
                    control.certificateExpirySeconds(),
                    control.issuer()));
        }
        return reports;
    }

    void served(boolean failure, int status, long firstByteMicros) {
        int counted = status > 0 && status < STATUSES ? status : 0;
        statuses.incrementAndGet(counted);
        if (failure) {
            failed.incrementAndGet(counted);
        }
        if (firstByteMicros >= 0) {
            served.count(firstByteMicros);
        }
    }

    void denied(Report.Denial denial) {
        (denial.audited() ? audited : denied).count(denial.reason());
        int slot = Math.floorMod(nextDenial.getAndIncrement(), Report.MAX_DENIALS);
        denials.set(slot, shortened(denial));
    }

    Collection<ActMeter> acts() {
        return Collections.unmodifiableCollection(acts.values());
    }

    Collection<EdgeMeter> edges() {
        return Collections.unmodifiableCollection(edges.values());
    }

    Traffic traffic(Report.Direction direction) {
        Traffic found = traffic.get(direction);
        if (found == null) {
            throw new IllegalStateException("no counters for " + direction);
        }
        return found;
    }

    Words words(Report.Direction direction) {
        Words found = handshakeFailures.get(direction);
        if (found == null) {
            throw new IllegalStateException("no counters for " + direction);
        }
        return found;
    }

    Words limitHits() {
        return limitHits;
    }

    Words deniedByReason() {
        return denied;
    }

    Words auditedByReason() {
        return audited;
    }

    Optional<Served> serves() {
        return workload;
    }

    /** Answers of the server side with this status; 0 for none or one that is no HTTP status. */
    long answered(int status) {
        return statuses.get(status);
    }

    /** Of {@link #answered}, those that count as failures; never more, if it is asked first. */
    long failed(int status) {
        return failed.get(status);
    }

    int statuses() {
        return STATUSES;
    }

    EdgeMeter.Latencies servedLatencies() {
        return served;
    }

    /** What does not fit is told the next time. */
    private List<Report.Act> drainActs() {
        List<Report.Act> drained = new ArrayList<>();
        for (ActMeter meter : acts.values()) {
            if (drained.size() + Act.values().length <= MAX_ACTS_PER_REPORT) {
                drained.addAll(meter.drain());
            }
        }
        return drained;
    }

    private List<Report.Denial> drainDenials() {
        List<Report.Denial> newest = new ArrayList<>();
        int next = nextDenial.get();
        for (int i = 0; i < Report.MAX_DENIALS; i++) {
            Report.Denial denial = denials.getAndSet(Math.floorMod(next + i, Report.MAX_DENIALS), null);
            if (denial != null) {
                newest.add(denial);
            }
        }
        return newest;
    }

    private static Report.Denial shortened(Report.Denial denial) {
        return new Report.Denial(
                denial.at(),
                cut(denial.peer(), MAX_PEER),
                denial.port(),
                cut(denial.method(), MAX_METHOD),
                cut(denial.path(), MAX_TEXT),
                cut(denial.reason(), MAX_METHOD),
                cut(denial.detail(), 2 * MAX_TEXT),
                denial.audited());
    }

    /** Shortened, and of plain characters only: each takes one byte on the stream. */
    private static String cut(String text, int chars) {
        StringBuilder plain = new StringBuilder(Math.min(text.length(), chars));
        for (int i = 0; i < text.length() && i < chars; i++) {
            char c = text.charAt(i);
            plain.append(c >= ' ' && c < 0x7f ? c : '?');
        }
        return plain.toString();
    }
}
