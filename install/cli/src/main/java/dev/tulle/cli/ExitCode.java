package dev.tulle.cli;

/** What the command's exit code says; stable, for scripts. */
final class ExitCode {
    /** All is well; the answer is yes. */
    static final int YES = 0;

    /** Something is wrong with the mesh; the answer is no. */
    static final int NO = 1;

    /** There is no answer: wrong usage, or the controller cannot be asked. */
    static final int NO_ANSWER = 2;

    private ExitCode() {}
}
