package dev.tulle.conformance.smi.harness;

import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;

/**
 * What an application is to call, and how often.
 *
 * <p>Requests of one call go one after the other. An application keeps its connections and uses them again, as the published suite's does, so a
 * call of 50 is usually one connection; {@link #onNewConnections()} makes each its own.
 *
 * @param method as in the request line
 * @param url with host and port: {@code http://b:9091/echo}
 * @param headers {@code Host} among them is sent instead of the URL's
 * @param body absent when empty
 * @param times how many, 1 to 10000
 * @param protocol {@code h1}, or {@code h2c}: HTTP/2 without TLS, as gRPC speaks it
 * @param newConnections whether each request opens a connection of its own
 * @param gap pause between two of them
 */
public record Request(
        String method,
        String url,
        Map<String, String> headers,
        String body,
        int times,
        String protocol,
        boolean newConnections,
        Duration gap) {
    private static final int MOST = 10_000;

    public Request {
        headers = Map.copyOf(headers);
        if (times < 1 || times > MOST) {
            throw new IllegalArgumentException("times is %d: 1 to %d".formatted(times, MOST));
        }
    }

    public static Request get(String url) {
        return of("GET", url);
    }

    public static Request of(String method, String url) {
        return new Request(method, url, Map.of(), "", 1, "h1", false, Duration.ZERO);
    }

    public Request header(String name, String value) {
        Map<String, String> more = new TreeMap<>(headers);
        more.put(name, value);
        return new Request(method, url, more, body, times, protocol, newConnections, gap);
    }

    public Request body(String text) {
        return new Request(method, url, headers, text, times, protocol, newConnections, gap);
    }

    public Request times(int count) {
        return new Request(method, url, headers, body, count, protocol, newConnections, gap);
    }

    public Request overHttp2() {
        return new Request(method, url, headers, body, times, "h2c", newConnections, gap);
    }

    public Request onNewConnections() {
        return new Request(method, url, headers, body, times, protocol, true, gap);
    }

    public Request gap(Duration pause) {
        return new Request(method, url, headers, body, times, protocol, newConnections, pause);
    }

    /** One of them, for messages: {@code GET http://b:9091/ {x-role=admin} over HTTP/2}. */
    @Override
    public String toString() {
        return method + " " + url + (headers.isEmpty() ? "" : " " + new TreeMap<>(headers))
                + (protocol.equals("h2c") ? " over HTTP/2" : "");
    }
}
