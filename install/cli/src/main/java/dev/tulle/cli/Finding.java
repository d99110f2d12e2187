package dev.tulle.cli;

import static java.util.Objects.requireNonNull;

/**
 * What one check found.
 *
 * @param id stable name of the check, for scripts and for the troubleshooting page
 * @param level how bad it is
 * @param cause what is there, one line
 * @param cure what to do, one line; empty when all is well
 */
record Finding(String id, Level level, String cause, String cure) {
    Finding {
        requireNonNull(id, "id");
        requireNonNull(level, "level");
        requireNonNull(cause, "cause");
        requireNonNull(cure, "cure");
    }

    /** How bad a finding is; only errors make the exit code 1. */
    enum Level {
        OK,
        WARNING,
        ERROR
    }

    static Finding ok(String id, String cause) {
        return new Finding(id, Level.OK, cause, "");
    }

    static Finding warning(String id, String cause, String cure) {
        return new Finding(id, Level.WARNING, cause, cure);
    }

    static Finding error(String id, String cause, String cure) {
        return new Finding(id, Level.ERROR, cause, cure);
    }
}
