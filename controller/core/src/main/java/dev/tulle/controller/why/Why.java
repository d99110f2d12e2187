package dev.tulle.controller.why;

import dev.tulle.controller.model.Mesh;
import java.util.List;

/** Explains what would become of a call, with the very code by which proxies decide it. */
public final class Why {
    private Why() {}

    /** The answer; names that are not there give one whose outcome is {@link WhyAnswer.Outcome#UNKNOWN}, never an exception. */
    public static WhyAnswer ask(Mesh mesh, WhyQuestion question) {
        return new WhyAnswer(
                WhyAnswer.Outcome.UNKNOWN,
                "%s of trust domain %s cannot be explained yet".formatted(question.to(), mesh.trustDomain()),
                "",
                "",
                "",
                "",
                List.of());
    }
}
