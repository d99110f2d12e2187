package dev.tulle.proxy.upstream;

import dev.tulle.proxy.http.RequestHead;
import dev.tulle.proxy.match.HttpCall;
import java.util.List;

/**
 * A request as rules and routes see it.
 *
 * @param path normalised, without query
 */
public record RequestCall(RequestHead head, String path) implements HttpCall {
    @Override
    public String method() {
        return head.method();
    }

    /** HTTP/2 clients may split a Cookie into crumbs; to rules and routes it is one. Source: RFC 9113, 8.2.3. */
    @Override
    public List<String> values(String lowerCaseName) {
        if (lowerCaseName.equals("host")) {
            return List.of(head.authority());
        }
        List<String> values = head.fields().all(lowerCaseName);
        return lowerCaseName.equals("cookie") && values.size() > 1 ? List.of(String.join("; ", values)) : values;
    }
}
