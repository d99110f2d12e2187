package dev.tulle.quickstart.apps;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.Map;

/** The catalog: a product, what customers say of it (HTTP) and how much is left of it (the key-value store). */
final class Catalog {
    private Catalog() {}

    static HttpServer start(AppArguments arguments, Seen seen) throws IOException {
        String reviews = arguments.call("reviews");
        StockClient stock = new StockClient(arguments.call("stock"));
        HttpApp.control(arguments, seen, Map.of());
        return HttpApp.serve(arguments, seen, call -> {
            if (!call.path().startsWith("/products/")) {
                return HttpApp.Answer.text(404, "no such page; try /products/tulle");
            }
            HttpResponse<String> said = HttpApp.get(reviews, "/reviews/tulle", call);
            if (said.statusCode() != 200) {
                return HttpApp.Answer.text(
                        502,
                        "reviews answered %d: %s"
                                .formatted(said.statusCode(), said.body().strip()));
            }
            ObjectNode product = HttpApp.JSON.createObjectNode();
            product.put("name", "Tulle, white");
            product.put("by", arguments.instance());
            product.put("stock", Integer.parseInt(stock.get("tulle")));
            product.set("reviews", HttpApp.JSON.readTree(said.body()));
            return HttpApp.Answer.json(product.toString());
        });
    }
}
