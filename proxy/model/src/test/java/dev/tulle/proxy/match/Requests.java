package dev.tulle.proxy.match;

import java.util.List;
import java.util.Map;

/** Requests for tests. */
public final class Requests {
    private Requests() {}

    /** A request as the proxy would show it. */
    public record Request(String method, String path, Map<String, List<String>> headers) implements HttpCall {
        @Override
        public List<String> values(String lowerCaseName) {
            return headers.getOrDefault(lowerCaseName, List.of());
        }

        /** The same request with one more header. */
        public Request with(String name, String... values) {
            Map<String, List<String>> more = new java.util.HashMap<>(headers);
            more.put(name, List.of(values));
            return new Request(method, path, more);
        }
    }

    public static Request request(String method, String path) {
        return new Request(method, path, Map.of());
    }
}
