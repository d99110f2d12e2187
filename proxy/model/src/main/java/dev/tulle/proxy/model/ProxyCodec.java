package dev.tulle.proxy.model;

import java.util.Optional;

/**
 * The contract as JSON: one line a message, ordered fields, so equal values give equal bytes.
 *
 * <p>Unknown fields are ignored, except inside access rules and route matches: there an unknown condition that is passed over
 * would match more than was meant, so it is refused. Values whose absence would widen access are written as {@code null} and must
 * be there when read. Stateless; safe for all threads.
 */
public final class ProxyCodec {
    /** Longest message to a proxy, bytes of UTF-8. */
    public static final int MAX_TO_PROXY_BYTES = 4 << 20;

    /** Longest message to the controller, bytes of UTF-8. */
    public static final int MAX_TO_CONTROLLER_BYTES = 1 << 20;

    /** Longest {@link ProxyConfig} in a file, bytes of UTF-8. */
    public static final int MAX_CONFIG_BYTES = 32 << 20;

    /** Longest {@link Enrollment}, bytes of UTF-8. */
    public static final int MAX_ENROLLMENT_BYTES = 256 << 10;

    /** Deepest nesting of objects and lists. */
    public static final int MAX_NESTING = 32;

    private ProxyCodec() {}

    /** A message as one line, without its line end. */
    public static String encode(ToProxy message) {
        return JsonEncoder.encode(message);
    }

    /** A message as one line, without its line end. */
    public static String encode(ToController message) {
        return JsonEncoder.encode(message);
    }

    /** One line of the stream to a proxy; empty when this version does not know its type. */
    public static Optional<ToProxy> decodeToProxy(String line) throws MalformedMessage {
        return JsonObject.parse(line, MAX_TO_PROXY_BYTES, JsonDecoder::toProxy);
    }

    /** One line of the stream to a proxy, as UTF-8; empty when this version does not know its type. */
    public static Optional<ToProxy> decodeToProxy(byte[] line) throws MalformedMessage {
        return JsonObject.parse(line, MAX_TO_PROXY_BYTES, JsonDecoder::toProxy);
    }

    /** One line of the stream to the controller; empty when this version does not know its type. */
    public static Optional<ToController> decodeToController(String line) throws MalformedMessage {
        return JsonObject.parse(line, MAX_TO_CONTROLLER_BYTES, JsonDecoder::toController);
    }

    /** One line of the stream to the controller, as UTF-8; empty when this version does not know its type. */
    public static Optional<ToController> decodeToController(byte[] line) throws MalformedMessage {
        return JsonObject.parse(line, MAX_TO_CONTROLLER_BYTES, JsonDecoder::toController);
    }

    /** A config as indented JSON for people, with a line end. */
    public static String encode(ProxyConfig config) {
        return JsonEncoder.encode(config);
    }

    /** A config as {@link #encode(ProxyConfig)} writes it. */
    public static ProxyConfig decodeConfig(String text) throws MalformedMessage {
        return JsonObject.parse(text, MAX_CONFIG_BYTES, JsonDecoder::proxyConfig);
    }

    /** The answer to an enrolment, as one line. */
    public static String encode(Enrollment enrollment) {
        return JsonEncoder.encode(enrollment);
    }

    /** The answer to an enrolment, as {@link #encode(Enrollment)} writes it. */
    public static Enrollment decodeEnrollment(String text) throws MalformedMessage {
        return JsonObject.parse(text, MAX_ENROLLMENT_BYTES, JsonDecoder::enrollment);
    }

    /** A trust bundle by itself, as one line: what {@code --trust-file} holds. */
    public static String encode(TrustBundle bundle) {
        return JsonEncoder.encode(bundle);
    }

    /** A trust bundle, as {@link #encode(TrustBundle)} writes it. */
    public static TrustBundle decodeTrust(String text) throws MalformedMessage {
        return JsonObject.parse(text, MAX_ENROLLMENT_BYTES, JsonDecoder::trustBundle);
    }
}
