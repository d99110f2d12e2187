package dev.tulle.controller.assemble;

import dev.tulle.proxy.model.RateLimit;
import dev.tulle.proxy.model.Resilience;
import dev.tulle.proxy.model.Resilience.Fault;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Says a resilience in the words of the annotations, for people. */
public final class PolicyWords {
    private PolicyWords() {}

    /** One phrase for each policy, such as {@code timeout 2s}; empty where there is none. */
    public static List<String> of(Resilience resilience, Optional<RateLimit> rateLimit) {
        List<String> words = new ArrayList<>();
        time(words, "timeout", resilience.timeouts().totalMillis());
        time(words, "timeout-per-try", resilience.timeouts().perTryMillis());
        time(words, "timeout-idle", resilience.timeouts().idleMillis());
        resilience.retries().ifPresent(retries -> words.add("retries " + retries.most()));
        resilience.ejection().ifPresent(ejection -> words.add("eject-after " + ejection.after()));
        number(words, "max-connections", resilience.capacity().maxConnections());
        number(words, "max-pending", resilience.capacity().maxPending());
        number(words, "max-requests", resilience.capacity().maxRequests());
        rateLimit.ifPresent(limit -> words.add(
                "rate-limit %d/%s".formatted(limit.requests(), ServiceAnnotations.unitOf(limit.perMillis()))));
        for (Fault fault : resilience.faults()) {
            words.add(
                    switch (fault) {
                        case Fault.Abort abort -> "fault abort %d %s".formatted(abort.status(), share(fault));
                        case Fault.Delay delay ->
                            "fault delay %s %s".formatted(ServiceAnnotations.spelled(delay.millis()), share(fault));
                    });
        }
        if (resilience.ownZoneFirst()) {
            words.add("zone prefer");
        }
        return words;
    }

    private static void time(List<String> words, String name, long millis) {
        if (millis > 0) {
            words.add(name + " " + ServiceAnnotations.spelled(millis));
        }
    }

    private static void number(List<String> words, String name, int number) {
        if (number > 0) {
            words.add(name + " " + number);
        }
    }

    private static String share(Fault fault) {
        return "%s%% until %s"
                .formatted(
                        BigDecimal.valueOf(fault.perMillion(), 4)
                                .stripTrailingZeros()
                                .toPlainString(),
                        Instant.ofEpochMilli(fault.untilMillis()));
    }
}
