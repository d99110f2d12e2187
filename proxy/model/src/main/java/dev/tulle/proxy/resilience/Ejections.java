package dev.tulle.proxy.resilience;

import dev.tulle.proxy.model.Endpoint;
import dev.tulle.proxy.model.Resilience.Ejection;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Which endpoints of one cluster are left out because they failed too often in a row.
 *
 * <p>An endpoint that is out gets no request until its time is over; then one request goes to it, and what becomes of that one
 * decides: back in, or out for twice as long, up to five minutes, each time up to a fifth longer by chance. At most half of the
 * endpoints (rounded down) are out at one time, so a lone endpoint never is.
 *
 * <p>Times are nanoseconds of a monotonic clock. Safe for many threads; asking and counting successes takes no lock.
 */
public final class Ejections {
    private static final int MAX_DOUBLINGS = 20;
    private static final long NANOS_PER_MILLI = 1_000_000;

    private final Supplier<RandomGenerator> random;
    private volatile Ejection rule;
    private volatile Map<Endpoint, Standing> standings = Map.of();
    private volatile View view = new View(List.of(), List.of());

    /** Everybody and those who are in, as one value to compare and to read. */
    private record View(List<Endpoint> all, List<Endpoint> in) {}

    /** An endpoint that is out. {@code millisLeft} is 0 when the next request is to try it. */
    public record Out(Endpoint endpoint, long millisLeft, boolean probing) {}

    /** How one endpoint stands. Changes but for {@link #failures} under the lock of the ejections. */
    private static final class Standing {
        final AtomicInteger failures = new AtomicInteger();
        volatile boolean out;
        volatile long until;
        volatile boolean probing;
        int times;
        long lastNanos;
        long backSince;
    }

    /** @param random of the calling thread */
    public Ejections(Ejection rule, List<Endpoint> endpoints, Supplier<RandomGenerator> random) {
        this.rule = rule;
        this.random = random;
        update(rule, endpoints);
    }

    /** The endpoints or the rule may have changed; those that stay stand as they stood, as far as half of them allows. */
    public synchronized void update(Ejection newRule, List<Endpoint> endpoints) {
        rule = newRule;
        if (view.all().equals(endpoints)) {
            return;
        }
        Map<Endpoint, Standing> next = new HashMap<>();
        for (Endpoint endpoint : endpoints) {
            Standing known = standings.get(endpoint);
            next.put(endpoint, known == null ? new Standing() : known);
        }
        int out = 0;
        for (Standing standing : next.values()) {
            if (standing.out && ++out > endpoints.size() / 2) {
                bringBack(standing);
            }
        }
        standings = Map.copyOf(next);
        look(endpoints);
    }

    /** Endpoints that may be sent requests, in their order; the same list as long as nothing has changed. */
    public List<Endpoint> in() {
        return view.in();
    }

    /** Whether any endpoint is out. */
    public boolean anyOut() {
        View now = view;
        return now.in().size() != now.all().size();
    }

    /** An endpoint whose time is over and that this request is to try, or null. Tell what became of it. */
    public @Nullable Endpoint probe(long nowNanos) {
        if (!anyOut()) {
            return null;
        }
        for (Endpoint endpoint : view.all()) {
            Standing standing = standings.get(endpoint);
            if (standing != null && isDue(standing, nowNanos) && claim(standing)) {
                return endpoint;
            }
        }
        return null;
    }

    private static boolean isDue(Standing standing, long nowNanos) {
        return standing.out && !standing.probing && nowNanos - standing.until >= 0;
    }

    private synchronized boolean claim(Standing standing) {
        boolean claimed = standing.out && !standing.probing;
        standing.probing |= claimed;
        return claimed;
    }

    /**
     * A request to an endpoint went well.
     *
     * @param probe whether it was the one that {@link #probe} gave
     */
    public void succeeded(Endpoint endpoint, boolean probe, long nowNanos) {
        Standing standing = standings.get(endpoint);
        if (standing == null) {
            return;
        }
        if (standing.failures.get() != 0) {
            standing.failures.set(0);
        }
        if (probe) {
            synchronized (this) {
                if (standing.out) {
                    bringBack(standing);
                    standing.backSince = nowNanos;
                    look(view.all());
                }
            }
        }
    }

    /**
     * A request to an endpoint failed, or it could not be connected to.
     *
     * @param probe whether it was the one that {@link #probe} gave
     * @return whether that put it out
     */
    public boolean failed(Endpoint endpoint, boolean probe, long nowNanos) {
        Standing standing = standings.get(endpoint);
        if (standing == null) {
            return false;
        }
        int failures = standing.failures.incrementAndGet();
        if (!probe && (failures < rule.after() || standing.out)) {
            return false;
        }
        synchronized (this) {
            if (probe) {
                standing.probing = false;
                if (standing.out) {
                    putOut(standing, nowNanos);
                    return true;
                }
                return false;
            }
            List<Endpoint> all = view.all();
            int out = all.size() - view.in().size();
            if (standing.out || out + 1 > all.size() / 2 || standings.get(endpoint) != standing) {
                return false;
            }
            putOut(standing, nowNanos);
            look(all);
            return true;
        }
    }

    /** A request to an endpoint ended without telling anything about it. */
    public void abandoned(Endpoint endpoint, boolean probe) {
        Standing standing = standings.get(endpoint);
        if (probe && standing != null) {
            synchronized (this) {
                standing.probing = false;
            }
        }
    }

    /** Those that are out, in their order. */
    public List<Out> out(long nowNanos) {
        List<Out> out = new ArrayList<>();
        for (Endpoint endpoint : view.all()) {
            Standing standing = standings.get(endpoint);
            if (standing != null && standing.out) {
                out.add(new Out(
                        endpoint, Math.max(0, (standing.until - nowNanos) / NANOS_PER_MILLI), standing.probing));
            }
        }
        return out;
    }

    private void putOut(Standing standing, long nowNanos) {
        if (!standing.out && nowNanos - standing.backSince > standing.lastNanos) {
            // It had been well for as long as it was out the last time: that is forgotten.
            standing.times = 0;
        }
        long millis = Math.min(rule.forMillis() << Math.min(standing.times, MAX_DOUBLINGS), Ejection.MAX_FOR_MILLIS);
        long jitter = random.get().nextLong(millis / 5 + 1);
        standing.times++;
        standing.lastNanos = Math.min(millis + jitter, Ejection.MAX_FOR_MILLIS) * NANOS_PER_MILLI;
        standing.until = nowNanos + standing.lastNanos;
        standing.out = true;
        standing.failures.set(0);
    }

    private static void bringBack(Standing standing) {
        standing.out = false;
        standing.probing = false;
        standing.failures.set(0);
    }

    /** Makes the view anew. */
    private void look(List<Endpoint> endpoints) {
        List<Endpoint> all = List.copyOf(endpoints);
        List<Endpoint> in = new ArrayList<>();
        for (Endpoint endpoint : all) {
            Standing standing = standings.get(endpoint);
            if (standing == null || !standing.out) {
                in.add(endpoint);
            }
        }
        view = new View(all, in.size() == all.size() ? all : List.copyOf(in));
    }
}
