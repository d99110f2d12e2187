package dev.tulle.conformance.kubernetes;

import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.TestWatcher;

/** Tells of each test on the cluster how it ended, and of one that failed what was in its namespaces. JUnit finds it by itself. */
public final class Progress implements BeforeEachCallback, TestWatcher {
    private static final Map<String, Long> STARTED = new ConcurrentHashMap<>();

    @Override
    public void beforeEach(ExtensionContext context) {
        STARTED.put(context.getUniqueId(), System.nanoTime());
    }

    @Override
    public void testSuccessful(ExtensionContext context) {
        say("ok", context, null);
    }

    @Override
    public void testAborted(ExtensionContext context, @Nullable Throwable cause) {
        say("SKIPPED", context, cause);
    }

    @Override
    public void testFailed(ExtensionContext context, @Nullable Throwable cause) {
        say("FAILED", context, cause);
        if (context.getTags().contains("cluster")) {
            Place.open().forEach(place -> System.out.println(Story.of(place)));
            if (Place.MESHED) {
                System.out.println(Story.of(Tulle.system()));
            }
        }
    }

    private static void say(String how, ExtensionContext context, @Nullable Throwable cause) {
        long started = STARTED.getOrDefault(context.getUniqueId(), System.nanoTime());
        System.out.printf(
                Locale.ROOT,
                "%-7s %6.1f s  %s.%s%s%n",
                how,
                Duration.ofNanos(System.nanoTime() - started).toMillis() / 1000.0,
                context.getRequiredTestClass().getSimpleName(),
                context.getRequiredTestMethod().getName(),
                cause == null
                        ? ""
                        : ": "
                                + String.valueOf(cause.getMessage())
                                        .lines()
                                        .findFirst()
                                        .orElse(""));
    }
}
