package dev.tulle.conformance.smi.published;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tulle.conformance.smi.harness.App;
import dev.tulle.conformance.smi.harness.Cluster;
import dev.tulle.conformance.smi.harness.Place;
import dev.tulle.conformance.smi.harness.Within;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * The applications of one published group in a fresh namespace, and what the published suite does with them: a tester outside of the mesh asks them, in
 * plain text, by the ClusterIPs of their Services.
 */
final class Apps implements BeforeAllCallback, AfterAllCallback {
    static final String A = "app-a";
    static final String B = "app-b";
    static final String C = "app-c";

    private static final List<String> ALL = List.of(A, B, C);

    private final String name;
    private @Nullable Place place;
    private boolean installed;

    /** {@code name} of the group. */
    Apps(String name) {
        this.name = name;
    }

    Place place() {
        Place known = place;
        if (known == null) {
            throw new IllegalStateException("its namespace was not made");
        }
        return known;
    }

    /** Step 01: the definition is established under the names that the published suite asks for. */
    static void assertDefined(String definition, String kind, String shortName) {
        JsonNode found = Cluster.current()
                .definition(definition)
                .orElseThrow(() -> new AssertionError("there is no CustomResourceDefinition " + definition));
        JsonNode names = found.at("/status/acceptedNames");
        assertThat(names.path("kind").asText())
                .as("accepted kind of " + definition)
                .isEqualTo(kind);
        assertThat(names.path("plural").asText() + "." + found.at("/spec/group").asText())
                .as("accepted plural of " + definition)
                .isEqualTo(definition);
        assertThat(names.path("singular").asText())
                .as("accepted singular of " + definition)
                .isEqualToIgnoringCase(kind);
        assertThat(names.path("shortNames"))
                .as("accepted short names of " + definition)
                .hasSize(1);
        assertThat(names.path("shortNames").path(0).asText())
                .as("accepted short name of " + definition)
                .isEqualTo(shortName);
    }

    /** Step 02: applies the applications and waits until each Deployment has its one ready replica. */
    void install(String yaml) {
        place().apply(yaml);
        place().assertThere(yaml);
        for (String app : ALL) {
            Within.eventually(Within.START, "Deployment %s-deployment has a ready replica".formatted(app), () -> {
                JsonNode ready = place().read("apps/v1", "Deployment", app + "-deployment")
                        .at("/status/readyReplicas");
                if (ready.asInt() != 1) {
                    throw new AssertionError(place().unready());
                }
            });
        }
        installed = true;
    }

    /** Skips the rest of a group whose applications are not there: nothing could be seen. */
    void assumeInstalled() {
        assumeTrue(installed, "step 02 did not get the applications ready");
    }

    /** What the published suite does before each check of traffic: whatever was applied must be live after it. */
    void settle() {
        assumeInstalled();
        Within.pass(Within.LIVE);
        forget();
    }

    /** Has the applications forget what they took down. */
    void forget() {
        ALL.forEach(app -> ask("DELETE", app, "metrics", ""));
    }

    /** Has an application make a request. Its answer says nothing: 500 if there was none, and then nothing is taken down. */
    void call(String app, String method, String url) {
        ask("POST", app, "call", """
                {"url": "%s", "body": "", "method": "%s", "headers": {}}
                """.formatted(url, method));
    }

    /** The same on a connection that is not used again. */
    void callOnNewConnection(String app, String method, String url) {
        ask("POST", app, "call", """
                {"url": "%s", "body": "", "method": "%s", "headers": {"Connection": "close"}}
                """.formatted(url, method));
    }

    /** Throws unless it is right: the wish and what was seen instead, in one line. */
    static void hold(boolean right, String wanted, String request, Object seen) {
        if (!right) {
            throw new AssertionError("wanted: %s; seen: %s".formatted(wanted.formatted(request), seen));
        }
    }

    Metrics metrics(String app) {
        return Metrics.of(ask("GET", app, "metrics", "").json());
    }

    /** By the whole name with a dot at its end, as the published suite writes it. */
    String url(String service, String path) {
        return "http://%s.%s.svc.cluster.local.:9091/%s".formatted(service, place().name(), path);
    }

    /** A Deployment of one replica and, for it, a Service of type NodePort; {@code serviceAccount} is empty for the default one. */
    static String application(String app, String labels, String serviceAccount) {
        return """
                apiVersion: apps/v1
                kind: Deployment
                metadata: {name: %1$s-deployment, namespace: "@NAMESPACE@", labels: %2$s}
                spec:
                  replicas: 1
                  selector: {matchLabels: %2$s}
                  template:
                    metadata: {labels: %2$s}
                    spec:
                      %3$scontainers:
                      - name: %1$s
                        image: %4$s
                        imagePullPolicy: IfNotPresent
                        ports: [{containerPort: 9091, name: http}]
                        env: [{name: SERVICE_NAME, value: %1$s}]
                ---
                """.formatted(
                                app,
                                labels,
                                serviceAccount.isEmpty() ? "" : "serviceAccountName: " + serviceAccount + "\n      ",
                                Cluster.current().target().image())
                + service(app, labels);
    }

    static String service(String name, String selector) {
        return """
                apiVersion: v1
                kind: Service
                metadata: {name: %s, namespace: "@NAMESPACE@"}
                spec:
                  type: NodePort
                  selector: %s
                  ports: [{name: http, protocol: TCP, port: 9091, targetPort: 9091}]
                ---
                """.formatted(name, selector);
    }

    /** Three of them, each with a service account of its own: what traffic-access and traffic-spec install. */
    static String withAccounts() {
        return ALL.stream()
                .map(app -> {
                    String account = app.replace("app", "service");
                    return "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: %s, namespace: \"@NAMESPACE@\"}\n---\n"
                                    .formatted(account)
                            + application(app, "{app: %s}".formatted(app), account);
                })
                .collect(Collectors.joining());
    }

    private App.Answer ask(String method, String app, String path, String body) {
        String url = "http://%s:9091/%s".formatted(place().clusterIp(app), path);
        App.Answer answer = Cluster.current().tester().fetch(method, url, body);
        boolean call = path.equals("call");
        if (answer.status() != 200 && !(call && answer.status() == 500)) {
            throw new AssertionError(
                    "%s %s of %s from outside of the mesh is answered with %d: callers without identity must be let in here"
                            .formatted(method, "/" + path, app, answer.status()));
        }
        return answer;
    }

    @Override
    public void beforeAll(ExtensionContext context) {
        place = Cluster.current().place(name, true);
    }

    @Override
    public void afterAll(ExtensionContext context) {
        Place known = place;
        if (known != null) {
            Cluster.current().remove(known.name());
        }
    }
}
