package dev.tulle.proxy.match;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;

/**
 * A compiled regular expression of a rule: RE2 syntax, linear time, bounded size.
 *
 * <p>Plain texts, alone or before a final {@code .*}, are compared without the engine. Immutable; safe for all threads.
 */
final class Regex {
    /** Longest expression, characters. */
    static final int MAX_LENGTH = 1 << 10;

    /** Most instructions a compiled expression may have: it bounds the time of a match, per character. */
    static final int MAX_PROGRAM = 2_000;

    /** Most instructions an expression may ask for before it is compiled: counted repetitions multiply when nested. */
    private static final long MAX_EXPANSION = 100_000;

    private static final String METACHARACTERS = "\\.+*?()|[]{}^$";

    /** How much of a text an expression must cover. */
    enum Anchoring {
        /** From the start on. */
        START,
        /** From the start to the end. */
        BOTH
    }

    /** An expression that cannot be used; the text says why. */
    static final class Unusable extends Exception {
        private Unusable(String message) {
            super(message);
        }
    }

    private enum Form {
        EXACT,
        PREFIX,
        PROGRAM
    }

    private final Form form;
    private final String literal;
    private final Pattern program;
    private final Anchoring anchoring;

    private Regex(Form form, String literal, Pattern program, Anchoring anchoring) {
        this.form = form;
        this.literal = literal;
        this.program = program;
        this.anchoring = anchoring;
    }

    static Regex compile(String regex, Anchoring anchoring) throws Unusable {
        if (regex.length() > MAX_LENGTH) {
            throw new Unusable("is longer than %d characters".formatted(MAX_LENGTH));
        }
        if (expansion(regex) > MAX_EXPANSION) {
            throw new Unusable("repeats too much: nested counts multiply");
        }
        Pattern program;
        try {
            program = Pattern.compile(regex);
        } catch (PatternSyntaxException e) {
            throw new Unusable("is not RE2 syntax: " + e.getDescription());
        }
        if (program.programSize() > MAX_PROGRAM) {
            throw new Unusable(
                    "compiles to %d instructions, more than %d".formatted(program.programSize(), MAX_PROGRAM));
        }
        String body = regex.startsWith("^") ? regex.substring(1) : regex;
        String head = body.endsWith(".*") ? body.substring(0, body.length() - 2) : body;
        if (!isLiteral(head)) {
            return new Regex(Form.PROGRAM, "", program, anchoring);
        }
        boolean exact = anchoring == Anchoring.BOTH && head.equals(body);
        return new Regex(exact ? Form.EXACT : Form.PREFIX, head, program, anchoring);
    }

    boolean matches(String text) {
        return switch (form) {
            case EXACT -> text.equals(literal);
            case PREFIX -> text.startsWith(literal) && (anchoring == Anchoring.START || isOneLine(text));
            case PROGRAM ->
                anchoring == Anchoring.START
                        ? program.matcher(text).lookingAt()
                        : program.matcher(text).matches();
        };
    }

    private static boolean isLiteral(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            // Beyond ASCII the engine compares code points and we would compare characters: leave that to it.
            if (c >= 0x80 || METACHARACTERS.indexOf(c) >= 0) {
                return false;
            }
        }
        return true;
    }

    /** A dot does not match a line end. */
    private static boolean isOneLine(String text) {
        return text.indexOf('\n') < 0;
    }

    /**
     * An upper bound of how large an expression becomes when its counted repetitions are written out. RE2/J limits one count to
     * 1,000 and no product of nested ones.
     */
    private static long expansion(String regex) {
        long groups = 1;
        long atom = 1;
        for (int open = regex.indexOf('{'); open >= 0; open = regex.indexOf('{', open + 1)) {
            int count = largestNumberAt(regex, open + 1);
            if (open > 0 && ")}*+?".indexOf(regex.charAt(open - 1)) >= 0) {
                groups *= Math.max(1, count);
                if (groups > MAX_EXPANSION) {
                    return groups;
                }
            } else {
                atom = Math.max(atom, count);
            }
        }
        return regex.length() * groups * atom;
    }

    /** The largest number of {@code n}, {@code n,} or {@code n,m} that begin at an index; 0 without one. */
    private static int largestNumberAt(String regex, int index) {
        int largest = 0;
        int number = 0;
        for (int i = index; i < regex.length(); i++) {
            char c = regex.charAt(i);
            if (c >= '0' && c <= '9') {
                number = Math.min(number * 10 + (c - '0'), 100_000);
                largest = Math.max(largest, number);
            } else if (c == ',') {
                number = 0;
            } else {
                break;
            }
        }
        return largest;
    }
}
