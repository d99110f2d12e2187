package dev.tulle.proxy.http;

/** A message that breaks its protocol; thrown inside codecs only. Without a stack trace: peers cause it at will. */
final class MalformedMessage extends Exception {
    private static final long serialVersionUID = 1;

    private final int status;
    private final boolean otherProtocol;

    /**
     * @param status what a server answers to such a request
     * @param detail one clause for people; quotes nothing of the message
     */
    MalformedMessage(int status, String detail) {
        this(status, detail, false);
    }

    private MalformedMessage(int status, String detail, boolean otherProtocol) {
        super(detail, null, false, false);
        this.status = status;
        this.otherProtocol = otherProtocol;
    }

    /** What was sent is no HTTP/1: whoever opens a connection with it would not understand an answer. */
    static MalformedMessage ofOtherProtocol(String detail) {
        return new MalformedMessage(400, detail, true);
    }

    static MalformedMessage badRequest(String detail) {
        return new MalformedMessage(400, detail);
    }

    int status() {
        return status;
    }

    boolean isOtherProtocol() {
        return otherProtocol;
    }

    String detail() {
        return String.valueOf(getMessage());
    }
}
