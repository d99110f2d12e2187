package dev.tulle.quickstart.apps;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.util.Map;

/** The reviews: version v1 has words only, every other version asks the ratings (gRPC) for stars as well. */
final class Reviews {
    private Reviews() {}

    static HttpServer start(AppArguments arguments, Seen seen) throws IOException {
        boolean stars = !arguments.version().equals("v1");
        RatingsApi.Client ratings = stars ? new RatingsApi.Client(arguments.call("ratings")) : null;
        HttpApp.control(arguments, seen, Map.of());
        return HttpApp.serve(arguments, seen, call -> {
            ObjectNode review = HttpApp.JSON.createObjectNode();
            review.put("version", arguments.version());
            review.put("by", arguments.instance());
            review.put("text", "Light as air, and everything stays where it should.");
            if (ratings != null) {
                RatingsApi.Outcome outcome = ratings.starsOf("tulle", call);
                if (!outcome.status().isOk()) {
                    return HttpApp.Answer.text(502, "ratings answered " + outcome.status());
                }
                review.put("stars", Integer.parseInt(outcome.stars()));
            }
            return HttpApp.Answer.json(review.toString());
        });
    }
}
