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

    @Override
    public List<String> values(String lowerCaseName) {
        return lowerCaseName.equals("host")
                ? List.of(head.authority())
                : head.fields().all(lowerCaseName);
    }
}
