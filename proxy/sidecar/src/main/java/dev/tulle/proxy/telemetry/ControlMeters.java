package dev.tulle.proxy.telemetry;

import java.time.Instant;
import java.util.concurrent.atomic.LongAdder;

/** What is counted of the proxy's own affairs: certificate, config, stream. Safe for use by many threads. */
public final class ControlMeters {
    private final LongAdder enrollments = new LongAdder();
    private final LongAdder enrollmentFailures = new LongAdder();
    private final LongAdder configsRejected = new LongAdder();
    private final LongAdder streamsOpened = new LongAdder();
    private volatile Certificate certificate = new Certificate(0, "");
    private volatile Config config = new Config(0, 0);
    private volatile boolean connected;
    private volatile boolean ready;

    private record Certificate(long expirySeconds, String issuer) {}

    private record Config(long version, long appliedSeconds) {}

    /** A certificate came into force. {@code issuer}: lower-case hex authority key identifier. */
    public void certificate(Instant notAfter, String issuer) {
        certificate = new Certificate(notAfter.getEpochSecond(), issuer);
    }

    /** An enrollment or renewal went through. */
    public void enrolled() {
        enrollments.increment();
    }

    /** An enrollment or renewal was refused or did not get through. */
    public void enrollmentFailed() {
        enrollmentFailures.increment();
    }

    /** A config came into force. */
    public void configApplied(long version, Instant at) {
        config = new Config(version, at.getEpochSecond());
    }

    /** A config could not be used; the last good one stays. */
    public void configRejected() {
        configsRejected.increment();
    }

    /** The stream to the controller is up, or is not. */
    public void connected(boolean up) {
        if (up) {
            streamsOpened.increment();
        }
        connected = up;
    }

    /** The proxy is ready, or is not. */
    public void ready(boolean yes) {
        ready = yes;
    }

    /** End of the certificate in force, seconds since 1970; 0 without one. */
    public long certificateExpirySeconds() {
        return certificate.expirySeconds();
    }

    String issuer() {
        return certificate.issuer();
    }

    long configVersion() {
        return config.version();
    }

    long configAppliedSeconds() {
        return config.appliedSeconds();
    }

    long enrollments() {
        return enrollments.sum();
    }

    long enrollmentFailures() {
        return enrollmentFailures.sum();
    }

    long configsRejected() {
        return configsRejected.sum();
    }

    long streamsOpened() {
        return streamsOpened.sum();
    }

    boolean isConnected() {
        return connected;
    }

    boolean isReady() {
        return ready;
    }
}
