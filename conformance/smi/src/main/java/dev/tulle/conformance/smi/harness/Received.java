package dev.tulle.conformance.smi.harness;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import java.util.Map;

/**
 * What an application received: one request, or one TCP connection (method {@code TCP}).
 *
 * @param at its name
 * @param port on which it came
 * @param uri with its query, as it was on the wire
 * @param headers by lower-case name
 * @param proto {@code HTTP/1.1}, {@code HTTP/2.0} or {@code TCP}
 */
@JsonIgnoreProperties(ignoreUnknown = true)
public record Received(
        @JsonProperty("at") String at,
        @JsonProperty("port") int port,
        @JsonProperty("method") String method,
        @JsonProperty("uri") String uri,
        @JsonProperty("host") String host,
        @JsonProperty("proto") String proto,
        @JsonProperty("headers") Map<String, List<String>> headers) {}
