package dev.tulle.controller.webhook;

import java.time.Duration;

/**
 * Every bound of the webhook server, in one place.
 *
 * @param reviewBytes longest admission review; the API server takes objects of 3 MiB, and a review may hold two
 * @param conversionBytes longest conversion review, which holds whole lists
 * @param headerBytes longest head of a request; the aggregator names every group of a user
 * @param connections most open at once
 * @param reviews most under way at once
 * @param conversions most conversions among them; the API server asks for one per object that changes and older version that is served
 * @param allConversionBytes most that all conversions under way may hold together
 * @param body how long a body may take to come
 * @param answer how long an answer may take; the API server waits no longer than it was told to
 * @param idle how long a connection may be without a byte
 */
public record WebhookLimits(
        int reviewBytes,
        int conversionBytes,
        int headerBytes,
        int connections,
        int reviews,
        int conversions,
        long allConversionBytes,
        Duration body,
        Duration answer,
        Duration idle) {
    public static final WebhookLimits DEFAULTS = new WebhookLimits(
            8 << 20,
            32 << 20,
            64 << 10,
            200,
            64,
            32,
            128 << 20,
            Duration.ofSeconds(5),
            Duration.ofSeconds(10),
            Duration.ofMinutes(2));
}
