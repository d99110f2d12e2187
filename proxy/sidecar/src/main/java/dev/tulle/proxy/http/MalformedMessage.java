package dev.tulle.proxy.http;

/** A message that breaks its protocol; thrown inside codecs only. Without a stack trace: peers cause it at will. */
final class MalformedMessage extends Exception {
    private static final long serialVersionUID = 1;

    private final int status;

    /**
     * @param status what a server answers to such a request
     * @param detail one clause for people; quotes nothing of the message
     */
    MalformedMessage(int status, String detail) {
        super(detail, null, false, false);
        this.status = status;
    }

    static MalformedMessage badRequest(String detail) {
        return new MalformedMessage(400, detail);
    }

    int status() {
        return status;
    }

    String detail() {
        return String.valueOf(getMessage());
    }
}
