package dev.tulle.conformance.smi;

import java.util.List;

/** The command with the sample cases, for a test that ends it from outside. */
final class SampleMain {
    static final List<String> PACKAGES = List.of("dev.tulle.conformance.smi.sample");

    private SampleMain() {}

    public static void main(String[] arguments) {
        System.exit(new Main(PACKAGES, System.out, System.err).run(List.of(arguments)));
    }
}
