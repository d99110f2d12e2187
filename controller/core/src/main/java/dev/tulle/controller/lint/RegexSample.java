package dev.tulle.controller.lint;

import java.util.Optional;

/**
 * A text that a regular expression describes, as far as that can be told without an engine: the first of alternatives, the least number
 * of repetitions. Whoever uses it asks the engine whether it really matches.
 *
 * @param text the sample
 * @param isLiteral whether every character of it was written as such
 * @param canBegin whether a text that the expression describes can begin with {@code /}
 * @param canBeEmpty whether it describes the empty text
 */
record RegexSample(String text, boolean isLiteral, boolean canBegin, boolean canBeEmpty) {
    private static final RegexSample NOTHING = new RegexSample("", true, false, true);

    /** A sample; absent for what this small reader does not know. */
    static Optional<RegexSample> of(String regex) {
        try {
            Reader reader = new Reader(regex);
            RegexSample sample = reader.alternatives();
            return reader.at == regex.length() ? Optional.of(sample) : Optional.empty();
        } catch (IllegalArgumentException | StringIndexOutOfBoundsException e) {
            return Optional.empty();
        }
    }

    private RegexSample then(RegexSample next) {
        return new RegexSample(
                text + next.text,
                isLiteral && next.isLiteral,
                canBegin || (canBeEmpty && next.canBegin),
                canBeEmpty && next.canBeEmpty);
    }

    private RegexSample or(RegexSample other) {
        return new RegexSample(text, false, canBegin || other.canBegin, canBeEmpty || other.canBeEmpty);
    }

    private RegexSample times(int least) {
        return new RegexSample(text.repeat(least), isLiteral && least == 1, canBegin, canBeEmpty || least == 0);
    }

    private static RegexSample letter(char c) {
        return new RegexSample(String.valueOf(c), true, c == '/', false);
    }

    private static RegexSample some(char c, boolean canBeSlash) {
        return new RegexSample(String.valueOf(c), false, canBeSlash, false);
    }

    /** One way through the expression; throws where it meets what it does not know. */
    private static final class Reader {
        private static final int MOST_REPEATED = 20;

        private final String regex;
        private int at;
        private int depth;

        Reader(String regex) {
            this.regex = regex;
        }

        private boolean sees(char c) {
            return at < regex.length() && regex.charAt(at) == c;
        }

        RegexSample alternatives() {
            RegexSample first = sequence();
            while (sees('|')) {
                at++;
                first = first.or(sequence());
            }
            return first;
        }

        private RegexSample sequence() {
            RegexSample all = NOTHING;
            while (at < regex.length() && !sees('|') && !sees(')')) {
                all = all.then(repeated(atom()));
            }
            return all;
        }

        private RegexSample repeated(RegexSample atom) {
            RegexSample result = atom;
            if (sees('*') || sees('?')) {
                result = atom.times(0);
                at++;
            } else if (sees('+')) {
                result = new RegexSample(atom.text(), false, atom.canBegin(), atom.canBeEmpty());
                at++;
            } else if (sees('{') && at + 1 < regex.length() && Character.isDigit(regex.charAt(at + 1))) {
                int end = regex.indexOf('}', at);
                int least = Integer.parseInt(regex.substring(at + 1, end).split(",", -1)[0]);
                result = atom.times(Math.min(least, MOST_REPEATED));
                at = end + 1;
            } else {
                return atom;
            }
            if (sees('?')) {
                at++; // lazy
            }
            return result;
        }

        private RegexSample atom() {
            char c = regex.charAt(at++);
            return switch (c) {
                case '(' -> group();
                case '[' -> oneOf();
                case '.' -> some('.', true);
                case '^', '$' -> NOTHING;
                case '\\' -> escaped();
                case '*', '+', '?' -> throw new IllegalArgumentException("nothing to repeat");
                default -> letter(c);
            };
        }

        private RegexSample group() {
            if (++depth > 50) {
                throw new IllegalArgumentException("too deep");
            }
            if (regex.startsWith("?P<", at) || regex.startsWith("?<", at)) {
                at = regex.indexOf('>', at) + 1;
            } else if (sees('?')) {
                while (!sees(':') && !sees(')')) {
                    at++; // flags
                }
                if (sees(')')) {
                    at++;
                    depth--;
                    return NOTHING;
                }
                at++;
            }
            RegexSample inner = alternatives();
            if (!sees(')')) {
                throw new IllegalArgumentException("not closed");
            }
            at++;
            depth--;
            return inner;
        }

        private RegexSample oneOf() {
            int begin = at;
            boolean isNegated = sees('^');
            at += isNegated ? 1 : 0;
            int first = at;
            at++; // a bracket here is itself
            while (!sees(']')) {
                at += sees('\\') ? 2 : regex.startsWith("[:", at) ? regex.indexOf(":]", at) + 2 - at : 1;
            }
            String inside = regex.substring(begin, at++);
            java.util.regex.Pattern members = java.util.regex.Pattern.compile(
                    "[" + inside.replace("[:", "").replace(":]", "") + "]");
            boolean hasSlash = members.matcher("/").matches();
            char sample = regex.charAt(first);
            if (isNegated || !Character.isLetterOrDigit(sample)) {
                for (char candidate : "xa0AZ9-_./".toCharArray()) {
                    if (members.matcher(String.valueOf(candidate)).matches()) {
                        sample = candidate;
                        break;
                    }
                }
            }
            return some(sample, hasSlash);
        }

        private RegexSample escaped() {
            char c = regex.charAt(at++);
            return switch (c) {
                case 'd' -> some('1', false);
                case 'w' -> some('a', false);
                case 's' -> some(' ', false);
                case 'D', 'W', 'S' -> some('-', true);
                case 'b', 'B', 'A', 'z' -> NOTHING;
                default -> {
                    if (Character.isLetterOrDigit(c)) {
                        throw new IllegalArgumentException("an escape of its own");
                    }
                    yield letter(c);
                }
            };
        }
    }
}
