package dev.tulle.proxy.http;

/** The fields that tell who calls; only the inbound proxy sets them, from a verified certificate. */
public final class IdentityFields {
    /** The caller as the receiving proxy has verified it: {@code By=<receiver>;URI=<caller>}. */
    public static final String CLIENT_CERT = "x-forwarded-client-cert";

    private IdentityFields() {}

    /** Whether a field (name in lower case) claims an identity or steers a proxy, in any spelling that applications fold into one. */
    public static boolean isIdentity(String name) {
        return name.length() > 7
                && name.charAt(0) == 'x'
                && switch (name.replace('_', '-')) {
                    case CLIENT_CERT, "x-client-cert", "x-ssl-client-cert", "x-spiffe-id" -> true;
                    default -> name.startsWith("x-tulle-") || name.startsWith("x_tulle_");
                };
    }
}
