package dev.tulle.smi;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/** What is found wrong while one document is read; filled by its {@link Field}s. */
final class Findings {
    private final UnaryOperator<String> asWritten;
    private final List<FieldProblem> problems = new ArrayList<>();
    private final List<FieldProblem> warnings = new ArrayList<>();

    /**
     * Starts empty.
     *
     * @param asWritten gives the author's path of a field for its path in the newest version
     */
    Findings(UnaryOperator<String> asWritten) {
        this.asWritten = asWritten;
    }

    void problem(String path, String message) {
        problems.add(new FieldProblem(asWritten.apply(path), message));
    }

    void warning(String path, String message) {
        warnings.add(new FieldProblem(asWritten.apply(path), message));
    }

    List<FieldProblem> problems() {
        return problems;
    }

    List<FieldProblem> warnings() {
        return warnings;
    }
}
