package dev.tulle.proxy.http;

import io.netty.util.internal.EmptyArrays;
import java.util.Arrays;

/**
 * Reads the header blocks of one direction of a connection into fields; holds the last block until the next.
 *
 * <p>Fields of the tables are handed out as they are, without a copy. A list that is too long, or a field, is read to its end all the
 * same, for later blocks refer to what it puts into the table. Source: RFC 7541; limits of {@link dev.tulle.proxy.bootstrap.Limits}.
 */
final class HpackDecoder {
    /** Bytes of the dynamic table that are taken without a setting. Source: RFC 9113, 6.5.2. */
    static final int TABLE_BYTES = 4096;

    private static final int MAX_ENTRIES = TABLE_BYTES / HpackField.OVERHEAD;

    /** Scratch arrays no longer than this are kept. */
    private static final int KEPT_BYTES = 1024;

    private final int maxListBytes;
    private final int maxFieldBytes;
    private HpackField[] table = new HpackField[8];
    private int newest = -1;
    private int entries;
    private int tableBytes;
    private int capacity = TABLE_BYTES;
    private long changes;
    private byte[] scratch = EmptyArrays.EMPTY_BYTES;
    private byte[] in = EmptyArrays.EMPTY_BYTES;
    private int at;
    private int end;
    private HpackField[] fields = new HpackField[16];
    private int count;
    private int listBytes;
    private boolean tooLarge;

    /**
     * @param maxListBytes of all fields of a block, each with an overhead of 32
     * @param maxFieldBytes of name and value of one
     */
    HpackDecoder(int maxListBytes, int maxFieldBytes) {
        this.maxListBytes = maxListBytes;
        this.maxFieldBytes = maxFieldBytes;
    }

    /** Fields of the last block. */
    int count() {
        return count;
    }

    HpackField field(int index) {
        return fields[index];
    }

    /** Whether the last block, or a field in it, was longer than allowed; its fields are then not all there. */
    boolean isTooLarge() {
        return tooLarge;
    }

    /** Grows whenever the dynamic table changes: between two equal blocks without a change the fields are the same. */
    long changes() {
        return changes;
    }

    /** Reads a whole block. */
    void decode(byte[] bytes, int from, int to) throws Http2Violation {
        in = bytes;
        at = from;
        end = to;
        count = 0;
        listBytes = 0;
        tooLarge = false;
        boolean begun = false;
        while (at < end) {
            int first = in[at++];
            if (first < 0) {
                add(entry(number(first, 7)));
            } else if ((first & 0x40) != 0) {
                HpackField field = literal(number(first, 6));
                insert(field);
                add(field);
            } else if ((first & 0x20) == 0) {
                add(literal(number(first, 4)));
            } else if (begun) {
                throw broken("a size of the table in the midst of a block");
            } else {
                resize(number(first, 5));
                continue;
            }
            begun = true;
        }
        in = EmptyArrays.EMPTY_BYTES;
        if (scratch.length > KEPT_BYTES) {
            scratch = EmptyArrays.EMPTY_BYTES;
        }
    }

    private void add(HpackField field) {
        int size = field.size();
        listBytes += size;
        if (listBytes > maxListBytes || size - HpackField.OVERHEAD > maxFieldBytes) {
            tooLarge = true;
            listBytes = Math.min(listBytes, maxListBytes + 1);
        }
        if (tooLarge) {
            return;
        }
        if (count == fields.length) {
            fields = Arrays.copyOf(fields, 2 * count);
        }
        fields[count++] = field;
    }

    private HpackField entry(int index) throws Http2Violation {
        int statics = HpackField.staticCount();
        if (index > 0 && index <= statics) {
            return HpackField.ofStatic(index);
        }
        int age = index - statics - 1;
        if (age < 0 || age >= entries) {
            throw broken("an index that is in no table");
        }
        return table[(newest - age) & (table.length - 1)];
    }

    private HpackField literal(int nameIndex) throws Http2Violation {
        if (nameIndex > 0) {
            HpackField named = entry(nameIndex);
            return new HpackField(named.name, named.kind, string(false));
        }
        String name = string(true);
        return new HpackField(name, HpackField.Kind.of(name), string(false));
    }

    private String string(boolean name) throws Http2Violation {
        if (at == end) {
            throw broken("a block that ends too soon");
        }
        int first = in[at++];
        int length = number(first, 7);
        if (length > end - at) {
            throw broken("a string that is longer than its block");
        }
        byte[] from = in;
        int begin = at;
        int stop = at + length;
        at = stop;
        if (first < 0) {
            int most = HpackHuffman.mostDecoded(length);
            if (scratch.length < most) {
                scratch = new byte[Math.max(most, 128)];
            }
            stop = HpackHuffman.decode(in, begin, stop, scratch);
            if (stop < 0) {
                throw broken("a string in a wrong code");
            }
            from = scratch;
            begin = 0;
        }
        return name ? Http1Text.name(from, begin, stop) : begin == stop ? "" : Http1Text.text(from, begin, stop);
    }

    /** A number whose first bits were read; at most five bytes and 28 bits. */
    private int number(int first, int bits) throws Http2Violation {
        int mask = (1 << bits) - 1;
        int value = first & mask;
        if (value < mask) {
            return value;
        }
        for (int shift = 0; shift <= 21; shift += 7) {
            if (at == end) {
                throw broken("a block that ends too soon");
            }
            int next = in[at++];
            value += (next & 0x7f) << shift;
            if (next >= 0) {
                return value;
            }
        }
        throw broken("a number that is too large");
    }

    private void insert(HpackField field) {
        changes++;
        int size = field.size();
        evictDownTo(capacity - size);
        if (size > capacity) {
            return;
        }
        if (entries == table.length) {
            HpackField[] larger = new HpackField[Math.min(MAX_ENTRIES, 2 * entries)];
            for (int age = 0; age < entries; age++) {
                larger[entries - 1 - age] = table[(newest - age) & (entries - 1)];
            }
            table = larger;
            newest = entries - 1;
        }
        newest = (newest + 1) & (table.length - 1);
        table[newest] = field;
        entries++;
        tableBytes += size;
    }

    private void resize(int bytes) throws Http2Violation {
        if (bytes > TABLE_BYTES) {
            throw broken("a table larger than allowed");
        }
        changes++;
        capacity = bytes;
        evictDownTo(bytes);
    }

    private void evictDownTo(int bytes) {
        while (entries > 0 && tableBytes > bytes) {
            int oldest = (newest - entries + 1) & (table.length - 1);
            tableBytes -= table[oldest].size();
            table[oldest] = HpackField.ofStatic(1);
            entries--;
        }
    }

    private static Http2Violation broken(String detail) {
        return Http2Violation.ofConnection(Http2Wire.COMPRESSION_ERROR, detail);
    }
}
