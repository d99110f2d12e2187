package dev.tulle.proxy.resilience;

/** Reads what a caller of gRPC says in {@code grpc-timeout}. Source: gRPC over HTTP/2, Requests. */
public final class GrpcTimeout {
    private static final int MAX_DIGITS = 8;

    private GrpcTimeout() {}

    /** Nanoseconds; -1 when it is not one to eight digits and a unit, as if nothing were said. */
    public static long nanos(String text) {
        int digits = text.length() - 1;
        if (digits < 1 || digits > MAX_DIGITS) {
            return -1;
        }
        long number = 0;
        for (int i = 0; i < digits; i++) {
            char c = text.charAt(i);
            if (c < '0' || c > '9') {
                return -1;
            }
            number = number * 10 + (c - '0');
        }
        // The largest, 99,999,999 hours, is beyond a long: it stands for as long as there is.
        return switch (text.charAt(digits)) {
            case 'H' -> saturated(number, 3_600_000_000_000L);
            case 'M' -> saturated(number, 60_000_000_000L);
            case 'S' -> number * 1_000_000_000L;
            case 'm' -> number * 1_000_000L;
            case 'u' -> number * 1_000L;
            case 'n' -> number;
            default -> -1;
        };
    }

    private static long saturated(long number, long unit) {
        return number > Long.MAX_VALUE / unit ? Long.MAX_VALUE : number * unit;
    }
}
