package dev.tulle.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Judges what the controller says of the mesh; pure. Each method is one check with a stable id. */
final class Checks {
    private static final Duration LEAF_WARNING = Duration.ofHours(2);
    private static final Duration ISSUER_WARNING = Duration.ofDays(7);
    private static final Duration ANCHOR_WARNING = Duration.ofDays(30);
    private static final Duration ROTATION_WARNING = Duration.ofHours(1);
    private static final double LAG_WARNING_SECONDS = 10;

    /** How many workloads are named of those with the same fault. */
    private static final int NAMED = 5;

    private Checks() {}

    /** {@code objects}: every object and file could be read and means something. */
    static List<Finding> objects(JsonNode problems) {
        List<Finding> findings = new ArrayList<>();
        for (JsonNode problem : problems.path("problems")) {
            String severity = problem.path("severity").asText("error").toLowerCase(Locale.ROOT);
            String cause = place(problem)
                    + joined(", ", Shown.text(problem.path("object")), Shown.text(problem.path("field")), ": ")
                    + Shown.text(problem.path("message"));
            String cure = Shown.text(problem.path("remedy"));
            switch (severity) {
                case "info" -> findings.add(new Finding("objects", Finding.Level.OK, cause, cure));
                case "warning" -> findings.add(Finding.warning("objects", cause, cure));
                default -> findings.add(Finding.error("objects", cause, cure));
            }
        }
        if (findings.stream().allMatch(finding -> finding.level() == Finding.Level.OK)) {
            findings.addFirst(Finding.ok("objects", "every object was read and has its meaning"));
        }
        return findings;
    }

    /** {@code proxies-connected}: the proxy of every workload has its stream to the controller. */
    static List<Finding> proxiesConnected(JsonNode mesh, JsonNode proxies) {
        List<String> connected = new ArrayList<>();
        for (JsonNode proxy : proxies.path("proxies")) {
            if (proxy.path("connected").asBoolean()) {
                connected.add(proxy.path("workload").asText());
            }
        }
        List<String> missing = new ArrayList<>();
        for (JsonNode workload : mesh.path("workloads")) {
            String name = workload.path("name").asText();
            if (!connected.contains(name)) {
                missing.add(name);
            }
        }
        if (!missing.isEmpty()) {
            String first = missing.getFirst();
            return List.of(Finding.error(
                    "proxies-connected",
                    "no proxy is connected for %s%s"
                            .formatted(
                                    String.join(", ", missing.subList(0, Math.min(NAMED, missing.size()))),
                                    missing.size() > NAMED ? " and %d others".formatted(missing.size() - NAMED) : ""),
                    "start it with 'tulle proxy --workload %s --token-file T', its token comes from 'tulle token %s'; in a cluster see 'kubectl -n %s logs %s -c tulle-proxy'"
                            .formatted(
                                    first,
                                    first,
                                    first.substring(0, Math.max(0, first.indexOf('/'))),
                                    first.substring(first.indexOf('/') + 1))));
        }
        return List.of(Finding.ok("proxies-connected", "%d of %d".formatted(connected.size(), connected.size())));
    }

    /** {@code proxies-current}: every proxy has taken the newest configuration it was sent. */
    static List<Finding> proxiesCurrent(JsonNode proxies) {
        List<Finding> findings = new ArrayList<>();
        for (JsonNode proxy : proxies.path("proxies")) {
            String workload = proxy.path("workload").asText();
            if (proxy.path("nack").isObject()) {
                findings.add(
                        Finding.error(
                                "proxies-current",
                                "%s refused configuration %s and keeps the last good one: %s"
                                        .formatted(
                                                workload,
                                                proxy.path("nack")
                                                        .path("version")
                                                        .asText(),
                                                proxy.path("nack").path("error").asText()),
                                "mend the object the message names; if it names none, compare the versions of proxy and controller"));
            } else if (proxy.path("connected").asBoolean()
                    && proxy.path("lagSeconds").asDouble() > LAG_WARNING_SECONDS) {
                findings.add(Finding.warning(
                        "proxies-current",
                        "%s has not answered for %.0f s"
                                .formatted(workload, proxy.path("lagSeconds").asDouble()),
                        "look at its log and its processor time"));
            }
        }
        return findings.isEmpty()
                ? List.of(Finding.ok("proxies-current", "every proxy took its newest configuration"))
                : findings;
    }

    /** {@code workloads-ready}: every connected proxy says that its application is well. */
    static List<Finding> workloadsReady(JsonNode proxies) {
        List<Finding> findings = new ArrayList<>();
        for (JsonNode proxy : proxies.path("proxies")) {
            if (proxy.path("connected").asBoolean() && !proxy.path("ready").asBoolean()) {
                findings.add(Finding.error(
                        "workloads-ready",
                        "%s gets no traffic: %s"
                                .formatted(
                                        proxy.path("workload").asText(),
                                        proxy.path("detail").asText("its application is not well")),
                        "look at the application beside it, and at the healthCheck of the Workload"));
            }
        }
        return findings.isEmpty()
                ? List.of(Finding.ok("workloads-ready", "every connected workload is ready"))
                : findings;
    }

    /** {@code certificates}: nothing that proves an identity is near its end. */
    static List<Finding> certificates(JsonNode proxies, JsonNode ca, Instant now) {
        List<Finding> findings = new ArrayList<>();
        for (JsonNode proxy : proxies.path("proxies")) {
            if (proxy.path("connected").asBoolean()) {
                expiry(
                        findings,
                        "the certificate of " + proxy.path("workload").asText(),
                        proxy.path("certificateExpiry"),
                        LEAF_WARNING,
                        "its proxy should have renewed it: look at its log",
                        now);
            }
        }
        expiry(
                findings,
                "the issuer",
                ca.path("issuer").path("notAfter"),
                ISSUER_WARNING,
                ca.path("issuer").path("given").asBoolean()
                        ? "have it renewed where Secret tulle-system/tulle-issuer comes from"
                        : "the controller renews it by itself: look at its log",
                now);
        for (JsonNode anchor : ca.path("anchors")) {
            expiry(
                    findings,
                    "the root " + anchor.path("id").asText(),
                    anchor.path("notAfter"),
                    ANCHOR_WARNING,
                    "raise root-generation in tulle-settings",
                    now);
        }
        return findings.isEmpty()
                ? List.of(Finding.ok(
                        "certificates",
                        "issuer for another %s, root for another %s"
                                .formatted(
                                        Shown.until(ca.path("issuer").path("notAfter"), now),
                                        Shown.until(ca.path("anchors").path(0).path("notAfter"), now))))
                : findings;
    }

    /** {@code root-rotation}: no rotation of the root is stuck. */
    static List<Finding> rootRotation(JsonNode ca, Instant now) {
        JsonNode rotation = ca.path("rotation");
        String phase = rotation.path("phase").asText("settled");
        if (phase.equals("settled")) {
            return List.of(Finding.ok(
                    "root-rotation",
                    "settled, generation " + rotation.path("generation").asText()));
        }
        List<String> waitingFor = new ArrayList<>();
        rotation.path("waitingFor").forEach(workload -> waitingFor.add(workload.asText()));
        String cause = "%s generation %s, waiting for %s"
                .formatted(
                        phase,
                        rotation.path("generation").asText(),
                        waitingFor.isEmpty() ? "nobody" : String.join(", ", waitingFor));
        Instant since = Shown.instant(rotation.path("since"));
        boolean stuck = since != null && since.plus(ROTATION_WARNING).isBefore(now);
        return List.of(
                stuck
                        ? Finding.warning("root-rotation", cause, "restart the proxies it waits for")
                        : Finding.ok("root-rotation", cause));
    }

    private static void expiry(
            List<Finding> findings, String what, JsonNode end, Duration warning, String cure, Instant now) {
        Instant at = Shown.instant(end);
        if (at == null) {
            return;
        }
        if (!at.isAfter(now)) {
            findings.add(Finding.error("certificates", "%s expired at %s".formatted(what, at), cure));
        } else if (at.isBefore(now.plus(warning))) {
            findings.add(Finding.warning(
                    "certificates", "%s ends in %s".formatted(what, Shown.length(Duration.between(now, at))), cure));
        }
    }

    private static String place(JsonNode problem) {
        String place = Shown.text(problem.path("place"));
        return place.isEmpty() ? "" : place + ": ";
    }

    private static String joined(String between, String first, String second, String after) {
        String text = first.isEmpty() || second.isEmpty() ? first + second : first + between + second;
        return text.isEmpty() ? "" : text + after;
    }
}
