package dev.tulle.proxy.telemetry;

import dev.tulle.proxy.model.Report;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.IntSupplier;

/** Counts what resilience does to the calls of one Service, or of one port of our own. Any thread. */
public final class ActMeter {
    private final String service;
    private final Map<Act, Count> counts = new EnumMap<>(Act.class);
    private volatile IntSupplier ejected = () -> 0;

    private static final class Count {
        private final LongAdder sum = new LongAdder();

        /** What reports have told already. Touched by the reporting thread only. */
        private long told;
    }

    ActMeter(String service) {
        this.service = service;
        for (Act act : Act.values()) {
            counts.put(act, new Count());
        }
    }

    public void count(Act act) {
        of(act).sum.increment();
    }

    /** Where to ask how many endpoints are left out now. */
    public void ejected(IntSupplier source) {
        ejected = source;
    }

    String service() {
        return service;
    }

    int ejectedNow() {
        return ejected.getAsInt();
    }

    long counted(Act act) {
        return of(act).sum.sum();
    }

    /** What happened since the last call, or lasts. One thread. */
    List<Report.Act> drain() {
        List<Report.Act> acts = new ArrayList<>();
        for (Act act : Act.values()) {
            Count count = of(act);
            long news = count.sum.sum() - count.told;
            int now = act == Act.EJECTION ? ejectedNow() : 0;
            if (news > 0 || now > 0) {
                count.told += news;
                acts.add(new Report.Act(service, act.wireName(), news, now));
            }
        }
        return acts;
    }

    private Count of(Act act) {
        Count count = counts.get(act);
        if (count == null) {
            throw new IllegalStateException("no counter for " + act);
        }
        return count;
    }
}
