package dev.tulle.conformance.smi.harness;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.client.LocalPortForward;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * An application of the suite that runs in a pod.
 *
 * <p>It is told what to call, and asked what it received, on a port that listens on its loopback address alone, through the API server's port
 * forwarding: the mesh is not on that way, whatever it allows or forbids. Safe for use by many threads.
 */
public final class App {
    /** Where it serves HTTP; {@link #HTTP_ALT} does the same. */
    public static final int HTTP = 9091;

    /** Where it answers each line of a TCP connection with its name. */
    public static final int TCP = 9093;

    public static final int HTTP_ALT = 9095;

    private static final int CONTROL = 9092;

    /** For one question; a call of many requests is one. */
    private static final Duration ANSWER = Duration.ofMinutes(2);

    private static final int ATTEMPTS = 3;

    private final Place place;
    private final Pod pod;
    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private @Nullable LocalPortForward forward;

    private App(Place place, Pod pod) {
        this.place = place;
        this.pod = pod;
    }

    /** Writes its ServiceAccount, Pod and Service; {@link Place#awaitReady()} waits for it. */
    static App start(Place place, Pod pod) {
        Map<String, String> labels = new TreeMap<>(pod.labels());
        labels.putIfAbsent("app", pod.name());
        place.apply("""
                apiVersion: v1
                kind: ServiceAccount
                metadata: {name: %2$s}
                ---
                apiVersion: v1
                kind: Pod
                metadata: {name: %1$s, labels: %3$s}
                spec:
                  serviceAccountName: %2$s
                  terminationGracePeriodSeconds: 1
                  containers:
                  - name: app
                    image: %4$s
                    imagePullPolicy: IfNotPresent
                    env: [{name: SERVICE_NAME, value: %1$s}]
                    ports: [{name: http, containerPort: 9091}, {name: tcp, containerPort: 9093}, {name: http-alt, containerPort: 9095}]
                ---
                apiVersion: v1
                kind: Service
                metadata: {name: %1$s}
                spec:
                  selector: {app: %5$s}
                  ports: [{name: http, port: 9091}, {name: tcp, port: 9093}, {name: http-alt, port: 9095}]
                """.formatted(
                        pod.name(),
                        pod.serviceAccount(),
                        Json.write(labels),
                        place.cluster().target().image(),
                        labels.get("app")));
        return new App(place, pod);
    }

    /** What it calls itself. */
    public String name() {
        return pod.name();
    }

    public String serviceAccount() {
        return pod.serviceAccount();
    }

    public Place place() {
        return place;
    }

    /** The base of its Service's URL by its whole name, without a slash at the end: {@code http://b.ns.svc.cluster.local:9091}. */
    public String url() {
        return "http://%s.%s.svc.cluster.local:%d".formatted(pod.name(), place.name(), HTTP);
    }

    /** Sends requests and gives what this caller saw; what was received is the stage's to say: {@link Stage#call}. */
    List<Outcome> send(String id, Request request) {
        return outcomes(ask("POST", "/calls", Json.write(question(id, request))));
    }

    /** Opens TCP connections one after the other, says a line on each and reads one back. */
    List<Outcome> connect(String id, String address, int times) {
        return outcomes(ask("POST", "/tcp", Json.write(Map.of("id", id, "address", address, "times", times))));
    }

    void begin(String id, Request request, int perSecond) {
        Map<String, Object> question = question(id, request);
        question.put("rate", perSecond);
        ask("POST", "/load", Json.write(question));
    }

    /** One request to a URL, and nothing taken down: status and body. Fails when there is no answer. */
    public Answer fetch(String method, String url, String body) {
        String question = Json.write(Map.of("method", method, "url", url, "body", body));
        JsonNode answer = ask("POST", "/fetch", question, method.equals("POST") ? 1 : ATTEMPTS);
        if (!answer.path("error").asText().isEmpty()) {
            throw new AssertionError("%s %s from %s: %s"
                    .formatted(method, url, name(), answer.path("error").asText()));
        }
        return new Answer(answer.path("status").asInt(), answer.path("body").asText());
    }

    List<Received> received(String id) {
        List<Received> all = new ArrayList<>();
        ask("GET", "/received?id=" + id, "")
                .path("received")
                .forEach(one -> all.add(Json.MAPPER.convertValue(one, Received.class)));
        return all;
    }

    static List<Outcome> outcomes(JsonNode answer) {
        List<Outcome> all = new ArrayList<>();
        answer.path("outcomes").forEach(one -> all.add(Json.MAPPER.convertValue(one, Outcome.class)));
        return all;
    }

    private static Map<String, Object> question(String id, Request request) {
        Map<String, Object> question = new TreeMap<>();
        question.put("id", id);
        question.put("method", request.method());
        question.put("url", request.url());
        question.put("headers", request.headers());
        question.put("body", request.body());
        question.put("times", request.times());
        question.put("protocol", request.protocol());
        question.put("newConnections", request.newConnections());
        question.put("gapMillis", request.gap().toMillis());
        return question;
    }

    /** Asks its control port. A question whose way broke before an answer is asked again only if that changes nothing. */
    JsonNode ask(String method, String path, String body) {
        return ask(method, path, body, method.equals("GET") ? ATTEMPTS : 1);
    }

    private JsonNode ask(String method, String path, String body, int attempts) {
        int left = attempts;
        while (true) {
            left--;
            try {
                HttpResponse<String> response = http.send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port() + path))
                                .timeout(ANSWER)
                                .method(method, HttpRequest.BodyPublishers.ofString(body))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
                if (response.statusCode() != 200) {
                    throw new AssertionError("the application %s in %s answered %d to %s %s: %s"
                            .formatted(name(), place.name(), response.statusCode(), method, path, response.body()));
                }
                return Json.read(response.body());
            } catch (IOException e) {
                if (left == 0) {
                    throw new AssertionError(
                            "the application %s in %s cannot be asked through the API server's port forwarding: %s"
                                    .formatted(name(), place.name(), e),
                            e);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("the run was ended", e);
            }
        }
    }

    private synchronized int port() {
        LocalPortForward known = forward;
        if (known == null || !known.isAlive()) {
            known = place.client()
                    .pods()
                    .inNamespace(place.name())
                    .withName(pod.name())
                    .portForward(CONTROL);
            forward = known;
        }
        return known.getLocalPort();
    }

    synchronized void close() {
        LocalPortForward known = forward;
        if (known != null) {
            try {
                known.close();
            } catch (IOException e) {
                // Its pod is on its way out; nothing else hangs on it.
            }
        }
        http.close();
    }

    /** An answer to {@link #fetch}. */
    public record Answer(int status, String body) {
        public JsonNode json() {
            return Json.read(body);
        }
    }
}
