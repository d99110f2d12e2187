package dev.tulle.controller.discovery;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.time.Instant;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Proxies that were turned away lately, for people to see. Safe for all threads; at most {@value #MOST} entries. */
public final class Refusals {
    static final int MOST = 50;

    /** How long a refusal is shown. */
    static final Duration SHOWN = Duration.ofMinutes(10);

    private final Map<String, Refusal> newestLast = new LinkedHashMap<>();

    /** Notes one; the same sentence for the same caller counts once. */
    synchronized void note(String who, String sentence, Instant now) {
        String key = who + "\n" + sentence;
        Refusal before = newestLast.remove(key);
        newestLast.put(key, new Refusal(who, sentence, now, before == null ? 1 : before.times() + 1));
        if (newestLast.size() > MOST) {
            Iterator<String> oldest = newestLast.keySet().iterator();
            oldest.next();
            oldest.remove();
        }
    }

    /** The refusals of the last ten minutes, oldest first. */
    public synchronized List<Refusal> newest(Instant now) {
        newestLast.values().removeIf(refusal -> refusal.at().plus(SHOWN).isBefore(now));
        return List.copyOf(newestLast.values());
    }

    /**
     * A proxy that was turned away.
     *
     * @param who the workload where it is known, else the address it called from
     * @param sentence why, with the cure; the caller was told the same
     * @param at the last time
     * @param times how often
     */
    public record Refusal(String who, String sentence, Instant at, int times) {
        public Refusal {
            requireNonNull(who, "who");
            requireNonNull(sentence, "sentence");
            requireNonNull(at, "at");
        }
    }
}
