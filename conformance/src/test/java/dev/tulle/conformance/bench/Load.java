package dev.tulle.conformance.bench;

import java.io.IOException;

/** Something that asks as much as it can for a while. */
interface Load {
    /** Asks a port of the loopback address for about so many seconds. */
    Done run(int port, int seconds) throws IOException;

    /**
     * What came of it.
     *
     * @param amount requests answered well, or MB
     * @param perSecond the same in a second
     * @param failed requests without a good answer
     */
    record Done(double amount, double perSecond, double failed) {}
}
