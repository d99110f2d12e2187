package dev.tulle.controller.api;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tulle.controller.report.TrafficWindow;
import dev.tulle.controller.why.AskedRequest;
import dev.tulle.controller.why.WhyQuestion;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.infrastructure.Infrastructure;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import jakarta.ws.rs.DefaultValue;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.sse.OutboundSseEvent;
import jakarta.ws.rs.sse.Sse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** The HTTP API: read only, the shapes of {@link Shapes}. */
@Path("/api/v1")
@Produces(MediaType.APPLICATION_JSON)
@Singleton
public class ApiResource {
    /** Most pages that may watch at once. */
    static final int MAX_WATCHERS = 64;

    private static final Duration TICK = Duration.ofSeconds(1);

    /** Pages that ask in the same moment are told the same. */
    private static final Duration SHARED = Duration.ofMillis(500);

    private static final int MAX_PARAMETER = 4096;
    private static final int MAX_HEADERS = 50;

    private final Current current;
    private final ObjectMapper json;
    private final AtomicInteger watchers = new AtomicInteger();
    private String state = "";
    private long stateNanos;

    @Inject
    public ApiResource(Current current, ObjectMapper json) {
        this.current = current;
        this.json = json;
    }

    @GET
    @Path("mesh")
    public Shapes.Mesh mesh() {
        return views().mesh();
    }

    @GET
    @Path("edges")
    public Shapes.Edges edges(@QueryParam("window") @DefaultValue("60") String window) {
        return views().edges(window(window));
    }

    @GET
    @Path("stat")
    public Shapes.Stats stat(@QueryParam("window") @DefaultValue("60") String window) {
        return views().stats(window(window));
    }

    @GET
    @Path("denied")
    public Shapes.Denials denied() {
        return views().denials(TrafficWindow.MAX_DENIALS);
    }

    @GET
    @Path("proxies")
    public Shapes.Proxies proxies() {
        return views().proxies();
    }

    @GET
    @Path("ca")
    public Shapes.Authority ca() {
        return views().authority();
    }

    @GET
    @Path("problems")
    public Shapes.Problems problems() {
        return views().problems();
    }

    @GET
    @Path("why")
    public Shapes.Why why(
            @QueryParam("from") @Nullable String from,
            @QueryParam("to") @Nullable String to,
            @QueryParam("method") @Nullable String method,
            @QueryParam("path") @Nullable String path,
            @QueryParam("port") @Nullable String port,
            @QueryParam("header") List<String> headers) {
        Optional<AskedRequest> request = method == null && path == null && headers.isEmpty()
                ? Optional.empty()
                : Optional.of(new AskedRequest(
                        method == null ? "GET" : bounded("method", method).toUpperCase(Locale.ROOT),
                        path == null ? "/" : bounded("path", path),
                        headers(headers)));
        WhyQuestion question = new WhyQuestion(needed("from", from), needed("to", to), port(port), request);
        return views().why(question)
                .orElseThrow(() -> refusal(503, "The controller is still reading the mesh; try again."));
    }

    /** The page's state: at once, and each second in which it changed. */
    @GET
    @Path("events")
    @Produces(MediaType.SERVER_SENT_EVENTS)
    public Multi<OutboundSseEvent> events(@Context Sse sse) {
        Views views = views();
        if (watchers.incrementAndGet() > MAX_WATCHERS) {
            watchers.decrementAndGet();
            throw refusal(503, "More than %d pages watch already; close some.".formatted(MAX_WATCHERS));
        }
        return Multi.createFrom()
                .ticks()
                .every(TICK)
                .onOverflow()
                .drop()
                .emitOn(Infrastructure.getDefaultWorkerPool())
                .map(tick -> state(views))
                .skip()
                .repetitions()
                .map(text -> sse.newEventBuilder().name("state").data(text).build())
                .onTermination()
                .invoke(watchers::decrementAndGet);
    }

    private synchronized String state(Views views) {
        long now = System.nanoTime();
        if (state.isEmpty() || now - stateNanos > SHARED.toNanos()) {
            try {
                state = json.writeValueAsString(views.state());
                stateNanos = now;
            } catch (JsonProcessingException e) {
                throw new IllegalStateException("the state cannot be written as JSON", e);
            }
        }
        return state;
    }

    private Views views() {
        return current.views().orElseThrow(() -> refusal(503, "The controller is starting; try again."));
    }

    private static Duration window(String seconds) {
        if (!seconds.matches("[0-9]{1,4}")
                || Integer.parseInt(seconds) < Views.MIN_WINDOW.toSeconds()
                || Integer.parseInt(seconds) > TrafficWindow.LENGTH.toSeconds()) {
            throw refusal(
                    400,
                    "'window' is a whole number of seconds from %d to %d."
                            .formatted(Views.MIN_WINDOW.toSeconds(), TrafficWindow.LENGTH.toSeconds()));
        }
        return Duration.ofSeconds(Integer.parseInt(seconds));
    }

    private static Optional<Integer> port(@Nullable String port) {
        if (port == null || port.isEmpty()) {
            return Optional.empty();
        }
        if (!port.matches("[0-9]{1,5}") || Integer.parseInt(port) < 1 || Integer.parseInt(port) > 65535) {
            throw refusal(400, "'port' is a number from 1 to 65535.");
        }
        return Optional.of(Integer.parseInt(port));
    }

    private static SortedMap<String, List<String>> headers(List<String> headers) {
        if (headers.size() > MAX_HEADERS) {
            throw refusal(400, "More than %d headers.".formatted(MAX_HEADERS));
        }
        SortedMap<String, List<String>> byName = new TreeMap<>();
        for (String header : headers) {
            int colon = bounded("header", header).indexOf(':');
            if (colon < 1) {
                throw refusal(400, "'header' is name:value.");
            }
            byName.computeIfAbsent(
                            header.substring(0, colon).strip().toLowerCase(Locale.ROOT), name -> new ArrayList<>())
                    .add(header.substring(colon + 1).strip());
        }
        return byName;
    }

    private static String needed(String name, @Nullable String value) {
        if (value == null || value.isEmpty()) {
            throw refusal(400, "'%s' is missing: ask /api/v1/why?from=shop/web&to=shop/catalog.".formatted(name));
        }
        return bounded(name, value);
    }

    private static String bounded(String name, String value) {
        if (value.length() > MAX_PARAMETER) {
            throw refusal(400, "'%s' is longer than %d characters.".formatted(name, MAX_PARAMETER));
        }
        return value;
    }

    private static WebApplicationException refusal(int status, String sentence) {
        return new WebApplicationException(
                sentence,
                Response.status(status)
                        .type(MediaType.APPLICATION_JSON)
                        .entity(new Shapes.Refusal(sentence))
                        .build());
    }
}
