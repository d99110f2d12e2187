package dev.tulle.smi;

/** What counts as a port number. */
final class Ports {
    private Ports() {}

    static boolean isPort(long number) {
        return number >= 1 && number <= 65535;
    }

    static void requirePort(int number) {
        if (!isPort(number)) {
            throw new IllegalArgumentException("port is %d".formatted(number));
        }
    }
}
