package dev.tulle.proxy.bootstrap;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;

class LogTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final Log log = new Log(
            new PrintStream(out, true, StandardCharsets.UTF_8),
            Log.Level.INFO,
            200,
            Clock.fixed(Instant.parse("2026-01-02T03:04:05.678Z"), ZoneOffset.UTC));

    @Test
    void writesOneLineOfKeysAndValues() {
        log.info("it happened", "workload", "shop/web-1", "count", 3, "why", "two words", "none", "");

        assertThat(text())
                .isEqualTo(
                        "2026-01-02T03:04:05.678Z info it happened workload=shop/web-1 count=3 why=\"two words\" none=\"\"\n");
    }

    @Test
    void letsNobodyForgeALine() {
        log.warn("refused", "path", "/a\nb\r\u001b[31m\u2028\"x\" error=1");

        assertThat(text().lines()).hasSize(1);
        assertThat(text()).contains("path=\"/a\\nb\\u000d\\u001b[31m\\u2028\\\"x\\\" error=1\"");
    }

    @Test
    void saysNothingBelowItsLevel() {
        log.debug("details");

        assertThat(text()).isEmpty();
    }

    @Test
    void cutsLongLines() {
        log.error("x".repeat(5000));

        assertThat(text()).hasSize(201).endsWith("…\n");
    }

    private String text() {
        return out.toString(StandardCharsets.UTF_8);
    }
}
