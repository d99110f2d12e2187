package dev.tulle.proxy.resilience;

import dev.tulle.proxy.model.Resilience.Fault;
import java.util.List;

/** What is made to go wrong with the calls of one destination, while its time lasts. Thread-safe. */
public final class FaultPlan {
    private final List<Fault> faults;
    private final List<EvenShare> shares;
    private final long lastUntil;

    /**
     * What happens to one call.
     *
     * @param delayMillis to hold it back, 0 for not
     * @param abortStatus to answer with, 0 for not
     */
    public record Hit(long delayMillis, int abortStatus) {
        public static final Hit NONE = new Hit(0, 0);
    }

    public FaultPlan(List<Fault> faults) {
        this.faults = List.copyOf(faults);
        this.shares = this.faults.stream()
                .map(fault -> new EvenShare(fault.perMillion()))
                .toList();
        this.lastUntil = faults.stream().mapToLong(Fault::untilMillis).max().orElse(Long.MIN_VALUE);
    }

    /** Whether anything may still happen. */
    public boolean isOver(long epochMillis) {
        return epochMillis >= lastUntil;
    }

    /** What happens to the next call; delays add up, of several answers the first holds. */
    public Hit next(long epochMillis) {
        if (isOver(epochMillis)) {
            return Hit.NONE;
        }
        long delay = 0;
        int status = 0;
        for (int i = 0; i < faults.size(); i++) {
            if (epochMillis < faults.get(i).untilMillis() && shares.get(i).next()) {
                switch (faults.get(i)) {
                    case Fault.Delay hit -> delay += hit.millis();
                    case Fault.Abort hit -> status = status == 0 ? hit.status() : status;
                }
            }
        }
        return delay == 0 && status == 0 ? Hit.NONE : new Hit(delay, status);
    }
}
