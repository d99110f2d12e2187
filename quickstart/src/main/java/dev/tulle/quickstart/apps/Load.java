package dev.tulle.quickstart.apps;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;

/**
 * The customers: ask for the shop's page at a steady rate and count what comes back.
 *
 * <p>The rate does not fall when answers are late (an open loop), so a stall shows as what it is; more than {@value #IN_FLIGHT}
 * unanswered requests count as failures at once. Every fifth customer holds an iPhone.
 */
final class Load {
    /** Asked one after the other before the steady rate begins, and not counted: everything has only just started. */
    private static final int WARM_UP = 100;

    private static final int IN_FLIGHT = 500;
    private static final int FAILURES_KEPT = 20;
    private static final int MAX_RATE = 2_000;

    private final String web;
    private volatile int rate = Apps.LOAD_RATE;
    private long sent;
    private long answered;
    private long failed;
    private final Deque<String> failures = new ArrayDeque<>();

    private Load(String web) {
        this.web = web;
    }

    /** Opens {@code /stats} and {@code /rate?N} (requests a second; 0 pauses) on the control port, and starts. */
    static HttpServer start(AppArguments arguments, Seen seen) throws IOException {
        Load load = new Load(arguments.call("web"));
        HttpServer control =
                HttpApp.control(arguments, seen, Map.of("/stats", call -> load.stats(), "/rate", load::setRate));
        Thread.ofPlatform().daemon().name("load").start(load::send);
        return control;
    }

    private void send() {
        Seen.Call iphone = new Seen.Call("GET", "/", Map.of("user-agent", "Mozilla/5.0 (iPhone; demo)"));
        Seen.Call other = new Seen.Call("GET", "/", Map.of("user-agent", "Mozilla/5.0 (X11; demo)"));
        warmUp(other);
        long next = System.nanoTime();
        for (long number = 0; ; number++) {
            int current = rate;
            while (current == 0) {
                LockSupport.parkNanos(10_000_000);
                next = System.nanoTime();
                current = rate;
            }
            next += 1_000_000_000L / current;
            for (long now = System.nanoTime(); now < next; now = System.nanoTime()) {
                LockSupport.parkNanos(next - now);
            }
            Seen.Call customer = number % 5 == 0 ? iphone : other;
            if (begin()) {
                Thread.ofVirtual().start(() -> one(customer));
            }
        }
    }

    private void warmUp(Seen.Call customer) {
        try {
            for (int i = 0; i < WARM_UP; i++) {
                try {
                    HttpApp.get(web, "/", customer);
                } catch (IOException e) {
                    // Too early; the next one may come through.
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void one(Seen.Call customer) {
        try {
            HttpResponse<String> answer = HttpApp.get(web, "/", customer);
            end(
                    answer.statusCode() == 200
                            ? ""
                            : answer.statusCode() + ": " + answer.body().strip());
        } catch (IOException e) {
            end(e.toString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            end(e.toString());
        }
    }

    /** Whether to ask now; under the same lock as a pause, so that nothing is asked once that was answered. */
    private synchronized boolean begin() {
        if (rate == 0) {
            return false;
        }
        sent++;
        if (sent - answered - failed > IN_FLIGHT) {
            fail("%d requests are unanswered".formatted(IN_FLIGHT));
            return false;
        }
        return true;
    }

    private synchronized void end(String failure) {
        if (failure.isEmpty()) {
            answered++;
        } else {
            fail(failure);
        }
    }

    private void fail(String failure) {
        failed++;
        if (failures.size() == FAILURES_KEPT) {
            failures.removeFirst();
        }
        failures.addLast(Instant.now() + " " + failure);
    }

    private synchronized HttpApp.Answer stats() {
        ObjectNode stats = HttpApp.JSON.createObjectNode();
        stats.put("rate", rate);
        stats.put("sent", sent);
        stats.put("answered", answered);
        stats.put("failed", failed);
        stats.put("inFlight", sent - answered - failed);
        failures.forEach(stats.putArray("failures")::add);
        return HttpApp.Answer.json(stats.toPrettyString() + "\n");
    }

    private synchronized HttpApp.Answer setRate(Seen.Call call) {
        String wanted = call.path().substring(call.path().indexOf('?') + 1);
        if (!wanted.matches("[0-9]{1,4}") || Integer.parseInt(wanted) > MAX_RATE) {
            return HttpApp.Answer.text(400, "ask /rate?N with N from 0 to " + MAX_RATE);
        }
        rate = Integer.parseInt(wanted);
        return stats();
    }
}
