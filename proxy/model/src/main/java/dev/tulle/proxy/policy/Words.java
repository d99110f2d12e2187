package dev.tulle.proxy.policy;

/** Keeps sentences for people fit for a header line and a log. */
final class Words {
    /** Longest sentence, characters. */
    private static final int MAX_LENGTH = 512;

    private Words() {}

    /** A sentence in printable ASCII of bounded length; anything else in it becomes a question mark. */
    static String printable(String sentence) {
        StringBuilder out = new StringBuilder(Math.min(sentence.length(), MAX_LENGTH));
        for (int i = 0; i < sentence.length(); i++) {
            if (i == MAX_LENGTH - 3 && sentence.length() > MAX_LENGTH) {
                return out.append("...").toString();
            }
            char c = sentence.charAt(i);
            out.append(c >= ' ' && c <= '~' ? c : '?');
        }
        return out.toString();
    }
}
