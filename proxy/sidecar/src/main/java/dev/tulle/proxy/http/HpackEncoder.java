package dev.tulle.proxy.http;

import java.util.Arrays;

/**
 * Writes the header blocks of one direction of a connection.
 *
 * <p>A field enters the table when it comes the second time, so that what is different in every request does not push out what is the
 * same; secrets never do. Strings are written as they are: Huffman's code would cost more time than bytes cost on a fast network.
 * Source: RFC 7541.
 */
final class HpackEncoder {
    private static final int ENTRIES = HpackDecoder.TABLE_BYTES / HpackField.OVERHEAD;
    private static final int BUCKETS = 128;
    private static final int SEEN = 64;

    /** Blocks no longer than this are written without growth, and the array is kept. */
    private static final int KEPT_BYTES = 1024;

    private byte[] bytes = new byte[256];
    private int length;

    private final String[] names = new String[ENTRIES];
    private final String[] values = new String[ENTRIES];
    private final int[] hashes = new int[ENTRIES];

    /** By entry: the one inserted before it in its bucket. Entries are numbered from 1 as they come. */
    private final long[] before = new long[ENTRIES];

    private final long[] buckets = new long[BUCKETS];

    /** Hashes of fields that came lately. */
    private final int[] seen = new int[SEEN];

    private long inserted;
    private int entries;
    private int tableBytes;
    private int capacity = HpackDecoder.TABLE_BYTES;

    /** Sizes that the other side has to be told at the beginning of the next block; -1 for none. */
    private int smallest = -1;

    private int told = HpackDecoder.TABLE_BYTES;

    /** The other side takes a table of so many bytes; we use no more than the default. */
    void limitTable(long most) {
        capacity = (int) Math.min(most, HpackDecoder.TABLE_BYTES);
        smallest = smallest < 0 ? capacity : Math.min(smallest, capacity);
        evictDownTo(capacity);
    }

    /** Begins a block. */
    void begin() {
        length = 0;
        if (bytes.length > KEPT_BYTES) {
            bytes = new byte[KEPT_BYTES];
        }
        if (smallest >= 0) {
            if (smallest < Math.min(told, capacity)) {
                number(0x20, 5, smallest);
            }
            if (smallest < told || capacity != told) {
                number(0x20, 5, capacity);
            }
            told = capacity;
            smallest = -1;
        }
    }

    /** The block; valid until the next one begins. */
    byte[] bytes() {
        return bytes;
    }

    int length() {
        return length;
    }

    /** Grows whenever the table changes: until then an equal head gives an equal block. */
    long changes() {
        return inserted;
    }

    void method(String method) {
        switch (method) {
            case "GET" -> octet(0x82);
            case "POST" -> octet(0x83);
            default -> field(":method", method);
        }
    }

    void scheme(String scheme) {
        switch (scheme) {
            case "http" -> octet(0x86);
            case "https" -> octet(0x87);
            default -> field(":scheme", scheme);
        }
    }

    void path(String path) {
        if (path.equals("/")) {
            octet(0x84);
        } else {
            field(":path", path);
        }
    }

    void status(int status) {
        switch (status) {
            case 200 -> octet(0x88);
            case 204 -> octet(0x89);
            case 206 -> octet(0x8a);
            case 304 -> octet(0x8b);
            case 400 -> octet(0x8c);
            case 404 -> octet(0x8d);
            case 500 -> octet(0x8e);
            default -> field(":status", Integer.toString(status));
        }
    }

    /** Writes a field; names in lower case, both Latin-1. */
    void field(String name, String value) {
        int hash = name.hashCode() * 31 + value.hashCode();
        hash ^= hash >>> 15;
        int bucket = hash & (BUCKETS - 1);
        for (long number = buckets[bucket]; number > inserted - entries; number = before[slot(number)]) {
            int slot = slot(number);
            if (hashes[slot] == hash && names[slot].equals(name) && values[slot].equals(value)) {
                number(0x80, 7, HpackField.staticCount() + 1 + (int) (inserted - number));
                return;
            }
        }
        int nameIndex = HpackField.staticIndex(name);
        if (isSecret(name)) {
            literal(0x10, 4, nameIndex, name, value);
        } else if (seen[hash & (SEEN - 1)] == hash
                && 2 * (name.length() + value.length() + HpackField.OVERHEAD) <= capacity) {
            literal(0x40, 6, nameIndex, name, value);
            insert(bucket, hash, name, value);
        } else {
            seen[hash & (SEEN - 1)] = hash;
            literal(0, 4, nameIndex, name, value);
        }
    }

    /** What no table may hold, so that nobody who can add to it can guess it. Source: RFC 7541, 7.1.3. */
    private static boolean isSecret(String name) {
        return switch (name) {
            case "authorization", "proxy-authorization", "cookie", "set-cookie" -> true;
            default -> false;
        };
    }

    private void insert(int bucket, int hash, String name, String value) {
        int size = name.length() + value.length() + HpackField.OVERHEAD;
        evictDownTo(capacity - size);
        inserted++;
        int slot = slot(inserted);
        names[slot] = name;
        values[slot] = value;
        hashes[slot] = hash;
        before[slot] = buckets[bucket];
        buckets[bucket] = inserted;
        entries++;
        tableBytes += size;
    }

    private void evictDownTo(int bytesLeft) {
        while (entries > 0 && tableBytes > bytesLeft) {
            int oldest = slot(inserted - entries + 1);
            tableBytes -= names[oldest].length() + values[oldest].length() + HpackField.OVERHEAD;
            names[oldest] = "";
            values[oldest] = "";
            entries--;
        }
    }

    private static int slot(long number) {
        return (int) number & (ENTRIES - 1);
    }

    private void literal(int pattern, int bits, int nameIndex, String name, String value) {
        number(pattern, bits, nameIndex);
        if (nameIndex == 0) {
            string(name);
        }
        string(value);
    }

    @SuppressWarnings("deprecation") // Low bytes are what is wanted, for every character is one.
    private void string(String text) {
        int count = text.length();
        number(0, 7, count);
        room(count);
        text.getBytes(0, count, bytes, length);
        length += count;
    }

    private void number(int pattern, int bits, int value) {
        room(6);
        int mask = (1 << bits) - 1;
        if (value < mask) {
            bytes[length++] = (byte) (pattern | value);
            return;
        }
        bytes[length++] = (byte) (pattern | mask);
        int rest = value - mask;
        while (rest > 0x7f) {
            bytes[length++] = (byte) (rest | 0x80);
            rest >>>= 7;
        }
        bytes[length++] = (byte) rest;
    }

    private void octet(int value) {
        room(1);
        bytes[length++] = (byte) value;
    }

    private void room(int more) {
        if (bytes.length - length < more) {
            bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, length + more));
        }
    }
}
