package dev.tulle.controller.assemble;

import static java.util.Objects.requireNonNull;

import dev.tulle.controller.model.Mesh;
import dev.tulle.controller.resources.Problem;
import java.util.List;

/**
 * A mesh and all that is wrong with what it was made of.
 *
 * @param mesh the mesh
 * @param problems met while reading and while assembling, in {@link Problem#ORDER}, at most {@link #MAX_PROBLEMS} of them
 */
public record Assembled(Mesh mesh, List<Problem> problems) {
    /** More are not told: nobody reads them, and a broken generator must not fill memory. */
    public static final int MAX_PROBLEMS = 1_000;

    public Assembled {
        requireNonNull(mesh, "mesh");
        problems = problems.stream()
                .distinct()
                .sorted(Problem.ORDER)
                .limit(MAX_PROBLEMS)
                .toList();
    }
}
