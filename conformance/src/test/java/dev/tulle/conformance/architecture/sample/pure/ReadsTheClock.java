package dev.tulle.conformance.architecture.sample.pure;

import java.net.URI;
import java.time.Instant;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** Does what no pure package may do, by call and by reference. */
final class ReadsTheClock {
    private final Supplier<Instant> now = Instant::now;
    private final LongSupplier nanos = System::nanoTime;

    long look() {
        return now.get().toEpochMilli()
                + nanos.getAsLong()
                + ThreadLocalRandom.current().nextLong()
                + URI.create("a:b").hashCode();
    }
}
