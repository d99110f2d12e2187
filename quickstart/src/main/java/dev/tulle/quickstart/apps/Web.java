package dev.tulle.quickstart.apps;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.Map;

/** The shop's page: asks the catalog for a product and shows it; HTTP/1.1. */
final class Web {
    private Web() {}

    static HttpServer start(AppArguments arguments, Seen seen) throws IOException {
        String catalog = arguments.call("catalog");
        HttpApp.control(arguments, seen, Map.of());
        return HttpApp.serve(arguments, seen, call -> {
            HttpResponse<String> product = HttpApp.get(catalog, "/products/tulle", call);
            if (product.statusCode() != 200) {
                return HttpApp.Answer.text(
                        502,
                        "catalog answered %d: %s"
                                .formatted(product.statusCode(), product.body().strip()));
            }
            if (call.path().startsWith("/plain")) {
                return HttpApp.Answer.json(product.body());
            }
            return new HttpApp.Answer(200, "text/html; charset=utf-8", html(HttpApp.JSON.readTree(product.body())));
        });
    }

    static String html(JsonNode product) {
        JsonNode reviews = product.path("reviews");
        String stars = reviews.path("stars").isInt()
                ? "<p class=stars>" + "&#9733;".repeat(reviews.path("stars").intValue()) + "</p>"
                : "<p class=none>no stars in version 1</p>";
        return """
                <!doctype html><html lang=en><meta charset=utf-8><title>The shop</title>
                <style>body{font:18px/1.5 system-ui,sans-serif;max-width:34em;margin:3em auto;padding:0 1em}
                .stars{color:#b45309;font-size:1.6em;margin:0}.none,.by{color:#777}blockquote{margin-left:0}</style>
                <h1>%s</h1><p>%d metres in stock</p>%s<blockquote>%s</blockquote>
                <p class=by>reviews by %s (%s), catalog by %s</p></html>
                """.formatted(
                        escape(product.path("name").asText()),
                        product.path("stock").asInt(),
                        stars,
                        escape(reviews.path("text").asText()),
                        escape(reviews.path("by").asText()),
                        escape(reviews.path("version").asText()),
                        escape(product.path("by").asText()));
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
