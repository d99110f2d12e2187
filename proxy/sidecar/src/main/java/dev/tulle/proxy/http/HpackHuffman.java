package dev.tulle.proxy.http;

/**
 * Reads strings in the Huffman code of HPACK; we write none, for the time it takes is dearer than the bytes.
 *
 * <p>The code is canonical, so its lengths say all of it. Four bits are taken at once; as no code is shorter than five, they end at
 * most one character. Source: RFC 7541, 5.2 and appendix B.
 */
final class HpackHuffman {
    /** The longest expansion: eight bits to the shortest code. */
    private static final int SHORTEST = 5;

    /** Bits of the code of each byte, and of the end of a string, a character each; @ stands for none. */
    private static final byte[] LENGTHS = {
        13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28,
        28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15,
        6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
        15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22,
        20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23,
        23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22,
        22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26,
        27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27,
        26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30
    };

    private static final int END = 256;

    /** Bits of a step. */
    private static final int STEP = 4;

    private static final int EMITS = 1 << 16;
    private static final int FAILS = 1 << 17;

    /** By 16 * node + next four bits: the node behind, the character they end in bits 8 to 15, and flags. */
    private static final int[] STEPS;

    /** Whether a string may end at a node: fewer than eight bits, all ones, behind the last character. */
    private static final boolean[] ENDS;

    static {
        // A tree of two arrays: children above 0 are nodes, below 0 characters as -1 - character; 0 is none.
        int[][] tree = new int[256][2];
        int nodes = 1;
        int code = 0;
        for (int length = SHORTEST; length <= 30; length++) {
            for (int character = 0; character <= END; character++) {
                if (LENGTHS[character] != length) {
                    continue;
                }
                int node = 0;
                for (int bit = length - 1; bit > 0; bit--) {
                    int way = code >>> bit & 1;
                    if (tree[node][way] == 0) {
                        tree[node][way] = nodes++;
                    }
                    node = tree[node][way];
                }
                tree[node][code & 1] = -1 - character;
                code++;
            }
            code <<= 1;
        }
        STEPS = new int[nodes << STEP];
        for (int from = 0; from < nodes; from++) {
            for (int bits = 0; bits < 1 << STEP; bits++) {
                STEPS[from << STEP | bits] = step(tree, from, bits);
            }
        }
        ENDS = new boolean[nodes];
        int node = 0;
        for (int bits = 0; bits < 8; bits++) {
            ENDS[node] = true;
            node = tree[node][1];
        }
    }

    private HpackHuffman() {}

    private static int step(int[][] tree, int from, int bits) {
        int node = from;
        int emitted = 0;
        for (int bit = STEP - 1; bit >= 0; bit--) {
            int next = tree[node][bits >>> bit & 1];
            if (next < 0) {
                int character = -1 - next;
                if (character == END) {
                    return FAILS;
                }
                emitted = EMITS | character << 8;
                node = 0;
            } else {
                node = next;
            }
        }
        return emitted | node;
    }

    /** Bytes that {@code length} coded ones may become. */
    static int mostDecoded(int length) {
        return length * 8 / SHORTEST;
    }

    /**
     * Decodes.
     *
     * @param out holds {@link #mostDecoded} bytes
     * @return how many bytes were written, or -1 for a wrong end
     */
    static int decode(byte[] in, int from, int to, byte[] out) {
        int node = 0;
        int written = 0;
        for (int i = from; i < to; i++) {
            int step = STEPS[node << STEP | (in[i] >>> STEP & 0xf)];
            if ((step & EMITS) != 0) {
                out[written++] = (byte) (step >>> 8);
            } else if (step == FAILS) {
                return -1;
            }
            node = step & 0xff;
            step = STEPS[node << STEP | (in[i] & 0xf)];
            if ((step & EMITS) != 0) {
                out[written++] = (byte) (step >>> 8);
            } else if (step == FAILS) {
                return -1;
            }
            node = step & 0xff;
        }
        return ENDS[node] ? written : -1;
    }
}
