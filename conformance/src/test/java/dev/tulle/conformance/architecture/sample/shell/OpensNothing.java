package dev.tulle.conformance.architecture.sample.shell;

import com.google.re2j.Pattern;
import java.time.Instant;

/** Uses a library that its row does not name; the clock is fine here. */
public final class OpensNothing {
    private final Pattern pattern = Pattern.compile("a");

    boolean look() {
        return pattern.matches(Instant.now().toString());
    }
}
