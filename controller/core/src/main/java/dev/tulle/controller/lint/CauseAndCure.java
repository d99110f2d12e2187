package dev.tulle.controller.lint;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The two halves of a message: every reader of ours says what is wrong and then, behind a colon or a semicolon, what to do.
 *
 * @param cause what is wrong
 * @param cure what to do; never empty
 */
record CauseAndCure(String cause, String cure) {
    /** The verbs that our cures begin with: what stands before may hold colons of its own. */
    private static final Pattern BOTH = Pattern.compile(
            "(.*?)[;:] ((?:if they may, |only |is \\S+ meant\\? )?(?:write|name|list|make|remove|give|correct|add|say|split|put|create|choose|"
                    + "label|lower|raise|rename|leave|restart|it has|there are)\\b.*)",
            Pattern.DOTALL);

    static CauseAndCure of(String message) {
        Matcher halves = BOTH.matcher(message);
        return halves.matches()
                ? new CauseAndCure(halves.group(1), halves.group(2))
                : new CauseAndCure(
                        message,
                        message.contains("is not one of") || message.contains("is none of")
                                ? "write one of these"
                                : "correct it, or remove it");
    }
}
