package dev.tulle.controller.webhook;

import dev.tulle.controller.webhook.Hooks.Hook;
import dev.tulle.controller.webhook.Hooks.Outcome;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** What the webhook server counts; every series is there from the start. */
final class WebhookMeters {
    private final MeterRegistry registry;

    WebhookMeters(MeterRegistry registry) {
        this.registry = registry;
        for (Hook hook : Hook.values()) {
            timer(hook);
            for (Outcome outcome : Outcome.values()) {
                counter(hook, outcome);
            }
        }
    }

    void underWay(AtomicInteger reviews) {
        Gauge.builder("tulle_webhook_reviews_under_way", reviews, AtomicInteger::get)
                .description("Reviews not answered yet")
                .register(registry);
    }

    void answered(Hook hook, Outcome outcome, long nanos) {
        counter(hook, outcome).increment();
        timer(hook).record(nanos, TimeUnit.NANOSECONDS);
    }

    /** The registry gives the one that is there already. */
    private Counter counter(Hook hook, Outcome outcome) {
        return Counter.builder("tulle_webhook_answers")
                .description("Reviews answered to the API server")
                .tag("hook", hook.label())
                .tag("outcome", outcome.label())
                .register(registry);
    }

    private Timer timer(Hook hook) {
        return Timer.builder("tulle_webhook_answer_seconds")
                .description("From a review's first byte to its answer")
                .tag("hook", hook.label())
                .register(registry);
    }
}
