package dev.tulle.controller.api;

import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.net.HostAndPort;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.Locale;
import java.util.Map;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jspecify.annotations.Nullable;

/**
 * Stands before everything on the HTTP port: the page and API are for this host's people only.
 *
 * <p>Whoever can make a browser here look up a name of his (DNS rebinding) would otherwise read the API as the same origin. Such a
 * request carries that name as its host; addresses and {@code localhost} cannot be rebound.
 */
@ApplicationScoped
public class Guard {
    private static final int FIRST = 1000;
    private static final Map<String, String> HEADERS = Map.of(
            "Content-Security-Policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
                    + " base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            "X-Content-Type-Options",
            "nosniff",
            "Referrer-Policy",
            "no-referrer",
            "Cross-Origin-Resource-Policy",
            "same-origin",
            "Cache-Control",
            "no-cache");

    private final String ownHost;

    public Guard(@ConfigProperty(name = "quarkus.http.host") String ownHost) {
        this.ownHost = ownHost.toLowerCase(Locale.ROOT);
    }

    void register(@Observes Filters filters) {
        filters.register(this::check, FIRST);
    }

    private void check(RoutingContext request) {
        HEADERS.forEach(request.response().headers()::set);
        if (!isOwn(request.request().authority())) {
            request.response()
                    .setStatusCode(421)
                    .putHeader("Content-Type", "application/json")
                    .end("{\"error\":\"Call this controller by its address or as localhost, not by another name.\"}");
            return;
        }
        request.next();
    }

    private boolean isOwn(@Nullable HostAndPort authority) {
        return authority != null && isOwn(authority.host().toLowerCase(Locale.ROOT), ownHost);
    }

    /** Whether a host may be asked for: an address, {@code localhost}, or the very name we listen on. */
    static boolean isOwn(String host, String ownHost) {
        return host.equals("localhost")
                || host.endsWith(".localhost")
                || host.equals(ownHost)
                || host.matches("[0-9]{1,3}(\\.[0-9]{1,3}){3}")
                || host.matches("\\[?[0-9a-f:.]*:[0-9a-f:.]*]?");
    }
}
