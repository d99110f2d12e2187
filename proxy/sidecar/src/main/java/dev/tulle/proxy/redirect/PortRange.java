package dev.tulle.proxy.redirect;

/**
 * Ports of TCP, both ends included.
 *
 * @param first 1 to 65535
 * @param last not less than {@code first}
 */
record PortRange(int first, int last) {
    PortRange {
        if (first < 1 || last > 65535 || first > last) {
            throw new IllegalArgumentException("not ports from 1 to 65535: %d-%d".formatted(first, last));
        }
    }

    /** Reads {@code 8080} or {@code 8000-8010}; throws IllegalArgumentException that quotes the text. */
    static PortRange parse(String text) {
        int dash = text.indexOf('-');
        try {
            int first = Integer.parseInt(dash < 0 ? text : text.substring(0, dash));
            return new PortRange(first, dash < 0 ? first : Integer.parseInt(text.substring(dash + 1)));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "not a port like 8080 or a range like 8000-8010: '%s'".formatted(text), e);
        }
    }

    /** As a rule has it. */
    @Override
    public String toString() {
        return first == last ? Integer.toString(first) : first + ":" + last;
    }
}
