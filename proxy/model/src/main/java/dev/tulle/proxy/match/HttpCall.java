package dev.tulle.proxy.match;

import java.util.List;

/**
 * What rules and routes may ask of one HTTP request; implemented by the proxy over its own request model.
 *
 * <p>Its answers do not change while it is being judged.
 */
public interface HttpCall {
    /** The method, as received: methods are case-sensitive tokens. */
    String method();

    /** The normalised path without query, the same that is forwarded; {@code *} for {@code OPTIONS *}. */
    String path();

    /**
     * Every value of a header, in the order received, none joined or split.
     *
     * @param lowerCaseName name in lower case; {@code host} stands for the authority
     * @return empty when the header is absent
     */
    List<String> values(String lowerCaseName);
}
