package dev.tulle.proxy.http;

import java.util.Set;

/** The fields that tell who calls; only the inbound proxy sets them, from a verified certificate. */
public final class IdentityFields {
    /** The caller as the receiving proxy has verified it: {@code By=<receiver>;URI=<caller>}. */
    public static final String CLIENT_CERT = "x-forwarded-client-cert";

    /** Names by which applications are used to be told whose certificate was verified. Source: RFC 9440, and other proxies. */
    private static final Set<String> NAMES = Set.of(
            CLIENT_CERT,
            "x-forwarded-client-cert-chain",
            "client-cert",
            "client-cert-chain",
            "x-client-cert",
            "x-client-cert-chain",
            "ssl-client-cert",
            "x-ssl-client-cert",
            "x-spiffe-id",
            "l5d-client-id");

    private static final String OURS = "x-tulle-";

    private IdentityFields() {}

    /**
     * Whether a field (name in lower case) claims an identity or steers a proxy, in any spelling that applications fold into one:
     * servers that hand fields on as variables make every mark an underscore.
     */
    public static boolean isIdentity(String name) {
        char first = name.isEmpty() ? 0 : name.charAt(0);
        if (first != 'x' && first != 'c' && first != 's' && first != 'l') {
            return false;
        }
        String folded = folded(name);
        return folded.startsWith(OURS) || NAMES.contains(folded);
    }

    /** With a hyphen for everything but letters and digits. */
    private static String folded(String name) {
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            if (!isLetterOrDigit(c) && c != '-') {
                StringBuilder folded = new StringBuilder(name);
                for (int j = i; j < folded.length(); j++) {
                    if (!isLetterOrDigit(folded.charAt(j))) {
                        folded.setCharAt(j, '-');
                    }
                }
                return folded.toString();
            }
        }
        return name;
    }

    private static boolean isLetterOrDigit(char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    }
}
