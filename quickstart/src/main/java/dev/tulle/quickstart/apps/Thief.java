package dev.tulle.quickstart.apps;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpServer;
import io.grpc.Status;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;

/** The thief: calls what is not meant for it, every two seconds and whenever its control port is asked. */
final class Thief {
    private static final Duration PAUSE = Duration.ofSeconds(2);

    private final String catalog;
    private final RatingsApi.Client ratings;
    private final String stock;

    private Thief(AppArguments arguments) {
        catalog = arguments.call("catalog");
        ratings = new RatingsApi.Client(arguments.call("ratings"));
        stock = arguments.call("stock");
    }

    /** Opens {@code /try/catalog}, {@code /try/ratings} and {@code /try/stock} on the control port. */
    static HttpServer start(AppArguments arguments, Seen seen) throws IOException {
        Thief thief = new Thief(arguments);
        HttpServer control = HttpApp.control(
                arguments,
                seen,
                Map.of(
                        "/try/catalog", thief::tryCatalog,
                        "/try/ratings", thief::tryRatings,
                        "/try/stock", thief::tryStock));
        Thread.ofPlatform().daemon().name("thief").start(thief::prowl);
        return control;
    }

    private void prowl() {
        Seen.Call nobody = new Seen.Call("GET", "/", Map.of("user-agent", "thief"));
        try {
            while (true) {
                Thread.sleep(PAUSE);
                try {
                    HttpApp.get(catalog, "/products/tulle", nobody);
                } catch (IOException e) {
                    // Whether it comes through is for the mesh to say and for others to count.
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private HttpApp.Answer tryCatalog(Seen.Call call) throws InterruptedException {
        try {
            HttpResponse<String> answer = HttpApp.get(catalog, "/products/tulle", call);
            String outcome = switch (answer.statusCode()) {
                case 200 -> "allowed";
                case 403 -> "denied";
                default -> "failed";
            };
            return loot(
                    outcome,
                    "HTTP " + answer.statusCode(),
                    answer.headers().firstValue("x-tulle-reason").orElse(""),
                    answer.body().strip());
        } catch (IOException e) {
            return loot("failed", "", "", e.toString());
        }
    }

    private HttpApp.Answer tryRatings(Seen.Call call) {
        RatingsApi.Outcome got = ratings.starsOf("tulle", call);
        String outcome = got.status().isOk()
                ? "allowed"
                : got.status().getCode() == Status.Code.PERMISSION_DENIED ? "denied" : "failed";
        String description = got.status().getDescription();
        return loot(
                outcome,
                "gRPC " + got.status().getCode(),
                "",
                got.status().isOk() ? got.stars() + " stars" : description == null ? "" : description);
    }

    private HttpApp.Answer tryStock(Seen.Call call) {
        StockClient.Connection connection = null;
        try {
            int colon = stock.lastIndexOf(':');
            connection =
                    new StockClient.Connection(stock.substring(0, colon), Integer.parseInt(stock.substring(colon + 1)));
            return loot("allowed", "TCP open", "", connection.ask("GET tulle") + " metres");
        } catch (IOException e) {
            return loot("denied", "TCP closed", "", e.toString());
        } finally {
            if (connection != null) {
                connection.close();
            }
        }
    }

    private static HttpApp.Answer loot(String outcome, String status, String reason, String body) {
        ObjectNode answer = HttpApp.JSON.createObjectNode();
        answer.put("outcome", outcome);
        answer.put("status", status);
        answer.put("reason", reason);
        answer.put("body", body);
        return HttpApp.Answer.json(answer.toPrettyString() + "\n");
    }
}
