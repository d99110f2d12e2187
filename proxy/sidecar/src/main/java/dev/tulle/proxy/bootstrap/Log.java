package dev.tulle.proxy.bootstrap;

import java.io.PrintStream;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.Optional;
import java.util.logging.Handler;
import java.util.logging.LogManager;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The proxy's log: one line an event, {@code time level what key=value …}, on standard error.
 *
 * <p>What happened is a constant sentence; who and where are values under fixed keys. Values are quoted where they must be, control
 * characters are escaped, so that nothing a peer sends can make a second line. Safe for use by many threads.
 */
public final class Log {
    /** How much is said; each level includes those above it in importance. */
    public enum Level {
        DEBUG,
        INFO,
        WARN,
        ERROR;

        /** The level of a word of the command line. */
        static Optional<Level> ofWord(String word) {
            for (Level level : values()) {
                if (level.name().toLowerCase(Locale.ROOT).equals(word)) {
                    return Optional.of(level);
                }
            }
            return Optional.empty();
        }
    }

    private static final String OF_CONNECTIONS = "io.netty.channel.DefaultChannelPipeline";

    private final PrintStream to;
    private final Level least;
    private final int maxChars;
    private final Clock clock;

    public Log(PrintStream to, Level least, int maxChars, Clock clock) {
        this.to = to;
        this.least = least;
        this.maxChars = maxChars;
        this.clock = clock;
    }

    public boolean isDebug() {
        return least == Level.DEBUG;
    }

    /** For finding out; may be per connection or request. {@code keyValues}: key, value, key, value. */
    public void debug(String what, @Nullable Object... keyValues) {
        write(Level.DEBUG, what, keyValues);
    }

    /** A step of the proxy's life. */
    public void info(String what, @Nullable Object... keyValues) {
        write(Level.INFO, what, keyValues);
    }

    /** Something is not as it should be, and the proxy goes on. */
    public void warn(String what, @Nullable Object... keyValues) {
        write(Level.WARN, what, keyValues);
    }

    /** Something must be done by a person. */
    public void error(String what, @Nullable Object... keyValues) {
        write(Level.ERROR, what, keyValues);
    }

    /**
     * Sends what libraries log at warning and above to this log, and nothing else of theirs.
     *
     * <p>Errors of a connection that no handler of ours takes are for debugging: its end is counted where it matters, and any stranger
     * could write a line with each handshake that fails.
     */
    public void takeOverLibraries() {
        LogManager.getLogManager().reset();
        Logger root = LogManager.getLogManager().getLogger("");
        root.setLevel(java.util.logging.Level.WARNING);
        root.addHandler(new Handler() {
            @Override
            public void publish(LogRecord line) {
                Throwable thrown = line.getThrown();
                write(
                        OF_CONNECTIONS.equals(line.getLoggerName()) ? Level.DEBUG : Level.WARN,
                        String.valueOf(line.getMessage()),
                        "logger",
                        String.valueOf(line.getLoggerName()),
                        "error",
                        thrown == null ? "none" : thrown);
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        });
    }

    private void write(Level level, String what, @Nullable Object... keyValues) {
        if (level.compareTo(least) < 0) {
            return;
        }
        StringBuilder line = new StringBuilder(160)
                .append(clock.instant().truncatedTo(ChronoUnit.MILLIS))
                .append(' ')
                .append(level.name().toLowerCase(Locale.ROOT))
                .append(' ');
        escape(line, what);
        for (int i = 0; i + 1 < keyValues.length; i += 2) {
            line.append(' ').append(keyValues[i]).append('=');
            value(line, String.valueOf(keyValues[i + 1]));
        }
        if (line.length() > maxChars) {
            line.setLength(maxChars - 1);
            line.append('…');
        }
        to.println(line);
    }

    private static void value(StringBuilder line, String value) {
        boolean plain = !value.isEmpty() && value.chars().allMatch(c -> c > ' ' && c < 0x7f && c != '"' && c != '=');
        if (plain) {
            line.append(value);
            return;
        }
        line.append('"');
        escape(line, value);
        line.append('"');
    }

    private static void escape(StringBuilder line, String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                line.append('\\').append(c);
            } else if (c == '\n') {
                line.append("\\n");
            } else if (Character.isISOControl(c) || c == '\u2028' || c == '\u2029') {
                line.append("\\u%04x".formatted((int) c));
            } else {
                line.append(c);
            }
        }
    }
}
