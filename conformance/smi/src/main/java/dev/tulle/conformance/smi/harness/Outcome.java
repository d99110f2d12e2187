package dev.tulle.conformance.smi.harness;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * What a caller saw of one request or one TCP connection.
 *
 * @param status of the answer; 0 if there was none. A TCP connection that was answered has 200
 * @param error why there was no answer; empty if there was one
 * @param by the application that answered; empty if a proxy did, or nobody
 * @param connection which of its connections the caller used, counted from 1 within the call
 * @param sentMicros when it was sent, by the caller's clock, microseconds since the epoch
 * @param tookMicros until the end of the answer
 */
@JsonIgnoreProperties(ignoreUnknown = true)
public record Outcome(
        @JsonProperty("status") int status,
        @JsonProperty("error") String error,
        @JsonProperty("by") String by,
        @JsonProperty("connection") int connection,
        @JsonProperty("sentMicros") long sentMicros,
        @JsonProperty("tookMicros") long tookMicros) {
    /** 200 to 399, as the published suite counts. */
    public boolean succeeded() {
        return status >= 200 && status < 400;
    }
}
