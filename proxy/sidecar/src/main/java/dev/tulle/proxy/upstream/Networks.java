package dev.tulle.proxy.upstream;

import io.netty.util.NetUtil;
import java.util.ArrayList;
import java.util.List;

/** A set of address ranges in CIDR notation. Immutable. */
public final class Networks {
    private final List<Range> ranges = new ArrayList<>();

    private static final class Range {
        private final byte[] base;
        private final int bits;

        Range(byte[] base, int bits) {
            this.base = base;
            this.bits = bits;
        }

        boolean contains(byte[] address) {
            if (address.length != base.length) {
                return false;
            }
            for (int bit = 0; bit < bits; bit += 8) {
                int mask = bits - bit >= 8 ? 0xff : 0xff & (0xff << (8 - (bits - bit)));
                if ((address[bit / 8] & mask) != (base[bit / 8] & mask)) {
                    return false;
                }
            }
            return true;
        }
    }

    /** Ranges that cannot be read are left out: the controller has checked them. */
    public Networks(List<String> cidrs) {
        for (String cidr : cidrs) {
            int slash = cidr.indexOf('/');
            byte[] base = NetUtil.createByteArrayFromIpAddressString(slash < 0 ? cidr : cidr.substring(0, slash));
            if (base != null) {
                int bits = slash < 0 ? base.length * 8 : parseBits(cidr.substring(slash + 1));
                if (bits >= 0 && bits <= base.length * 8) {
                    ranges.add(new Range(base, bits));
                }
            }
        }
    }

    /** Whether an address (no name) is inside one of the ranges. */
    public boolean contains(String address) {
        byte[] bytes = NetUtil.createByteArrayFromIpAddressString(address);
        return bytes != null && ranges.stream().anyMatch(range -> range.contains(bytes));
    }

    private static int parseBits(String text) {
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            return -1;
        }
    }
}
