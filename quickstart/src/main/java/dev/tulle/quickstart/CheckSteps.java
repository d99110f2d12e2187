package dev.tulle.quickstart;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tulle.quickstart.CheckRun.Step;
import dev.tulle.quickstart.CheckRun.Unexpected;
import dev.tulle.quickstart.Shop.Instance;
import dev.tulle.quickstart.apps.Apps;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/** The steps of the tour as a program walks them, each with what must be seen; they share one living mesh. */
final class CheckSteps implements AutoCloseable {
    private static final Duration EFFECT = Duration.ofSeconds(5);
    private static final Duration ROTATION = Duration.ofSeconds(40);
    private static final Duration RETURN = Duration.ofSeconds(40);
    private static final Duration COMMAND = Duration.ofSeconds(20);
    private static final long POLL_MILLIS = 50;
    private static final int REQUESTS = 100;

    /** What one killed instance may cost at most: requests it was answering, and dials until its endpoint is gone. */
    private static final int COST_OF_A_KILL = 10;

    private static final String SPLIT = "reviews-split.yaml";
    private static final String ACCESS = "access.yaml";
    private static final String SETTINGS = "settings.yaml";
    private static final String WORKLOADS = "workloads.yaml";

    private final LivingMesh mesh;
    private final WorkFolder folder;
    private final Ports ports;
    private final Http http;
    private final Map<String, String> pristine = new TreeMap<>();
    private @Nullable RecordingRelay relay;
    private long unexpectedFailures;

    CheckSteps(LivingMesh mesh, WorkFolder folder) {
        this.mesh = mesh;
        this.folder = folder;
        this.ports = mesh.ports();
        this.http = mesh.http();
    }

    List<Step> inOrder() {
        return List.of(
                new Step("controller, 8 proxies, 8 applications and the load come up", true, this::comeUp),
                new Step(
                        "a page passes through every application: HTTP, gRPC and TCP",
                        true,
                        quiet(this::everyApplicationIsAsked)),
                new Step("every hop is mutual TLS with SPIFFE identities", false, quiet(this::hopsAreSecured)),
                new Step(
                        "nobody between two sidecars sees a request or its answer",
                        false,
                        quiet(this::wireShowsNothing)),
                new Step("a split of 90/10 is exact", false, quiet(() -> shares(90, 10))),
                new Step("edit: 90/10 becomes 50/50", false, quiet(() -> shift(50, 50))),
                new Step("the thief is denied by HTTP, gRPC and TCP, and told why", false, quiet(this::thiefIsDenied)),
                new Step("edit: grant, and the thief may", false, quiet(this::grant)),
                new Step("edit: revoke, and he may no longer", false, quiet(this::revoke)),
                new Step("edit: users of an iPhone get version 2, the others version 1", false, quiet(this::byHeader)),
                new Step(
                        "a broken file is reported by file and line, and changes nothing",
                        false,
                        quiet(this::breakAFile)),
                new Step("kill -9 an instance: the other one serves on", false, this::killAnInstance),
                new Step("kill -9 the controller: traffic does not notice", false, quiet(this::killTheController)),
                new Step("edit: a new root of trust, and no request fails", false, quiet(this::rotateTheRoot)),
                new Step("nothing is left when it ends", false, this::end));
    }

    @Override
    public void close() throws IOException {
        mesh.close();
        if (relay != null) {
            relay.close();
        }
    }

    private String comeUp() throws Exception {
        for (String name : List.of(SPLIT, ACCESS, SETTINGS, WORKLOADS)) {
            pristine.put(name, Files.readString(mesh.file(name)));
        }
        // The wire between web's proxy and catalog's runs through a relay: others reach catalog-1 there, as through a
        // port forward.
        int listen = ports.listen(Shop.CATALOG);
        relay = RecordingRelay.start(ports.relay(), listen);
        edit(
                WORKLOADS,
                text -> replaceOnce(
                        text,
                        "listen: %d}".formatted(listen),
                        "listen: %d, advertise: \"127.0.0.1:%d\"}".formatted(listen, ports.relay())));
        mesh.start(stage -> {});
        return "page at port %d".formatted(ports.listen(Shop.WEB));
    }

    private String everyApplicationIsAsked() throws Exception {
        String tag = tag();
        Map<String, String> headers = Map.of("x-tour", tag, "user-agent", "tour");
        // Every tenth page is of version 2, and customers take turns between ours.
        for (int asked = 0; asked < 200 && (asked % 20 != 0 || tagged(Shop.REVIEWS_V2_1, tag) == 0); asked++) {
            HttpResponse<String> page = http.get(ports.listen(Shop.WEB), "/", headers);
            expect(
                    page.statusCode() == 200 && page.body().contains("42 metres in stock"),
                    "the page is %d: %s",
                    page.statusCode(),
                    page.body());
        }
        // Which instance of version 1 is the balancer's choice.
        expect(tagged(Shop.REVIEWS_V1_1, tag) + tagged(Shop.REVIEWS_V1_2, tag) > 0, "no reviews-v1 was asked");
        for (Instance instance : List.of(Shop.WEB, Shop.CATALOG, Shop.REVIEWS_V2_1, Shop.RATINGS)) {
            expect(tagged(instance, tag) > 0, "%s was not asked", instance.name());
        }
        expect(seen(Shop.STOCK).path("total").asLong() > 0, "%s was not asked", Shop.STOCK.name());
        return "";
    }

    private String hopsAreSecured() throws Exception {
        List<String> anchors = anchors();
        for (Instance instance : Shop.INSTANCES) {
            if (instance.serves()) {
                WireCertificate shown = WireCertificate.seenAt(ports.listen(instance), "TLSv1.3");
                expect(
                        shown.uris().equals(List.of(instance.identity())),
                        "%s shows %s, not %s",
                        instance.name(),
                        shown.uris(),
                        instance.identity());
                expect(
                        anchors.size() == 1 && shown.leadsTo(anchors.getFirst()),
                        "the certificate of %s does not lead to the mesh's root",
                        instance.name());
            }
        }
        try {
            WireCertificate.seenAt(ports.listen(Shop.CATALOG), "TLSv1.2");
            throw new Unexpected("catalog-1 speaks TLS 1.2");
        } catch (IOException refused) {
            // As it should be.
        }
        expectCaller(Shop.CATALOG, Shop.WEB);
        expectCaller(Shop.REVIEWS_V1_1, Shop.CATALOG);
        expectCaller(Shop.REVIEWS_V2_1, Shop.CATALOG);
        expectCaller(Shop.RATINGS, Shop.REVIEWS_V2_1);
        eventually(Duration.ofSeconds(12), "the map shows catalog -> stock and six more edges, all locked", () -> {
            JsonNode edges = http.json(ports.http(), "/api/v1/edges?window=60").path("edges");
            List<JsonNode> fromClients = StreamSupport.stream(edges.spliterator(), false)
                    .filter(edge -> edge.path("reporter").asText().equals("client"))
                    .toList();
            return fromClients.size() >= 5
                    && fromClients.stream().allMatch(edge -> edge.path("mtls").asBoolean());
        });
        return "TLS 1.3 only";
    }

    /** The application of {@code called} was told, by its proxy, that {@code caller} calls. */
    private void expectCaller(Instance called, Instance caller) throws Exception {
        JsonNode recent = seen(called).path("recent");
        String told = recent.path(recent.size() - 1)
                .path("headers")
                .path("x-forwarded-client-cert")
                .asText();
        expect(
                told.contains("URI=" + caller.identity()) && !told.contains(","),
                "%s is told '%s', not that %s calls",
                called.name(),
                told,
                caller.identity());
    }

    private String wireShowsNothing() throws Exception {
        RecordingRelay wire = relay;
        if (wire == null) {
            throw new Unexpected("there is no relay");
        }
        // The tap works: what goes through it in plain text is seen.
        String open = "plain-" + UUID.randomUUID();
        wire.record();
        HttpResponse<String> refused = http.get(ports.relay(), "/products/tulle", Map.of("x-request-id", open));
        expect(refused.statusCode() == 403, "a stranger in plain text got %d from catalog", refused.statusCode());
        expect(RecordingRelay.contains(wire.recorded(), open), "the relay did not see a request in plain text");

        String secret = "secret-" + UUID.randomUUID();
        wire.record();
        HttpResponse<String> page =
                http.get(ports.listen(Shop.WEB), "/", Map.of("x-request-id", secret, "user-agent", "tour"));
        byte[] passed = wire.recorded();
        expect(page.statusCode() == 200, "the page is %d: %s", page.statusCode(), page.body());
        expect(
                seen(Shop.CATALOG).path("recent").toString().contains(secret),
                "the application catalog did not receive the marked request");
        // Fields that both proxies know already take a byte or two each, so a request and its answer may be short.
        expect(passed.length > 100, "only %d bytes went through the relay", passed.length);
        for (String plain : List.of(secret, "/products/", "HTTP/1.1", "Tulle, white")) {
            expect(!RecordingRelay.contains(passed, plain), "'%s' is readable between the sidecars", plain);
        }
        return "%d bytes tapped".formatted(passed.length);
    }

    /** The weights as they stand give exactly their shares of {@value #REQUESTS} requests. */
    private String shares(int v1, int v2) throws Exception {
        pauseLoad();
        try {
            long[] got = countedShares(REQUESTS);
            expect(
                    got[0] * (v1 + v2) == (long) REQUESTS * v1 && got[1] * (v1 + v2) == (long) REQUESTS * v2,
                    "of %d requests version 1 received %d and version 2 %d, with weights %d and %d",
                    REQUESTS,
                    got[0],
                    got[1],
                    v1,
                    v2);
            return "of %d requests v1 received %d, v2 %d".formatted(REQUESTS, got[0], got[1]);
        } finally {
            resumeLoad();
        }
    }

    private String shift(int v1, int v2) throws Exception {
        edit(SPLIT, text -> weights(text, v1, v2));
        long after = eventually(EFFECT, "20 requests are shared %d/%d".formatted(v1, v2), () -> {
            pauseLoad();
            try {
                long[] got = countedShares(20);
                return got[0] * (v1 + v2) == 20L * v1 && got[1] * (v1 + v2) == 20L * v2;
            } finally {
                resumeLoad();
            }
        });
        return shares(v1, v2) + "; in effect after at most %d ms".formatted(after);
    }

    /** Asks for {@code requests} pages; what the applications of both versions received of them. */
    private long[] countedShares(int requests) throws Exception {
        String tag = tag();
        for (int i = 0; i < requests; i++) {
            HttpResponse<String> page =
                    http.get(ports.listen(Shop.WEB), "/", Map.of("x-tour", tag, "user-agent", "tour"));
            expect(page.statusCode() == 200, "the page is %d: %s", page.statusCode(), page.body());
        }
        return new long[] {
            tagged(Shop.REVIEWS_V1_1, tag) + tagged(Shop.REVIEWS_V1_2, tag), tagged(Shop.REVIEWS_V2_1, tag)
        };
    }

    private String thiefIsDenied() throws Exception {
        String tag = tag();
        long stockBefore = seen(Shop.STOCK).path("total").asLong();
        JsonNode catalog = tryAt("catalog", tag);
        expect(
                catalog.path("outcome").asText().equals("denied")
                        && catalog.path("status").asText().equals("HTTP 403")
                        && !catalog.path("reason").asText().isEmpty()
                        && !catalog.path("body").asText().isEmpty(),
                "catalog answered the thief %s",
                catalog);
        JsonNode ratings = tryAt("ratings", tag);
        expect(
                ratings.path("outcome").asText().equals("denied")
                        && !ratings.path("body").asText().isEmpty(),
                "ratings answered the thief %s",
                ratings);
        JsonNode stock = tryAt("stock", tag);
        expect(stock.path("outcome").asText().equals("denied"), "stock answered the thief %s", stock);
        expect(tagged(Shop.CATALOG, tag) == 0, "the thief's request reached the application catalog");
        expect(tagged(Shop.RATINGS, tag) == 0, "the thief's call reached the application ratings");
        expect(seen(Shop.STOCK).path("total").asLong() >= stockBefore, "the application stock forgot what it received");

        Output why = tulle("why", "-n", Shop.NAMESPACE, "thief", "catalog", "GET", "/products/tulle");
        expect(
                why.exitCode() == 1
                        && why.text().contains("denied")
                        && why.text().contains("shop/catalog"),
                "'tulle why' says (exit code %d): %s",
                why.exitCode(),
                why.text());
        eventually(Duration.ofSeconds(12), "'tulle denied' lists the thief", () -> {
            Output denied = tulle("denied");
            return denied.exitCode() == 0
                    && denied.text().contains("shop/thief")
                    && denied.text().contains("/products/tulle");
        });
        return catalog.path("reason").asText();
    }

    private String grant() throws Exception {
        edit(
                ACCESS,
                text -> text.replace(
                        "  #- {kind: ServiceAccount, name: thief", "  - {kind: ServiceAccount, name: thief"));
        long after = eventually(
                EFFECT,
                "the thief may read the catalog",
                () -> outcome("catalog").equals("allowed"));
        eventually(
                EFFECT,
                "the thief may ask the ratings",
                () -> outcome("ratings").equals("allowed"));
        eventually(EFFECT, "the thief may use the stock", () -> outcome("stock").equals("allowed"));
        Output why = tulle("why", "-n", Shop.NAMESPACE, "thief", "catalog", "GET", "/products/tulle");
        expect(
                why.exitCode() == 0 && why.text().contains("allowed"),
                "'tulle why' says (exit code %d): %s",
                why.exitCode(),
                why.text());
        Output other = tulle("why", "-n", Shop.NAMESPACE, "thief", "catalog", "DELETE", "/products/tulle");
        expect(other.exitCode() == 1, "'tulle why' allows what no route group names: %s", other.text());
        return "in effect after at most %d ms".formatted(after);
    }

    private String revoke() throws Exception {
        edit(ACCESS, text -> text);
        long after = eventually(
                EFFECT, "the thief may no longer read", () -> outcome("catalog").equals("denied"));
        eventually(
                EFFECT,
                "the thief may no longer ask the ratings",
                () -> outcome("ratings").equals("denied"));
        eventually(
                EFFECT,
                "the thief may no longer use the stock",
                () -> outcome("stock").equals("denied"));
        return "in effect after at most %d ms".formatted(after);
    }

    private String byHeader() throws Exception {
        edit(SPLIT, text -> uncommented(weights(text, 1, 0)));
        eventually(
                EFFECT,
                "version 2 only for an iPhone",
                () -> versionsFor("iPhone", 4).equals(List.of("v2"))
                        && versionsFor("X11", 4).equals(List.of("v1")));
        List<String> iphone = versionsFor("iPhone", 30);
        List<String> others = versionsFor("X11", 30);
        expect(iphone.equals(List.of("v2")), "users of an iPhone got %s", iphone);
        expect(others.equals(List.of("v1")), "the others got %s", others);
        return "30 and 30 requests";
    }

    /** Which versions' applications received {@code requests} requests of a user with that agent, in order of their names. */
    private List<String> versionsFor(String agent, int requests) throws Exception {
        String tag = tag();
        for (int i = 0; i < requests; i++) {
            HttpResponse<String> page = http.get(
                    ports.listen(Shop.WEB),
                    "/plain",
                    Map.of("x-tour", tag, "user-agent", "Mozilla/5.0 (%s; tour)".formatted(agent)));
            expect(page.statusCode() == 200, "the page is %d: %s", page.statusCode(), page.body());
        }
        List<String> versions = new ArrayList<>();
        if (tagged(Shop.REVIEWS_V1_1, tag) + tagged(Shop.REVIEWS_V1_2, tag) > 0) {
            versions.add("v1");
        }
        if (tagged(Shop.REVIEWS_V2_1, tag) > 0) {
            versions.add("v2");
        }
        return versions;
    }

    private String breakAFile() throws Exception {
        Output before = tulle("check");
        expect(before.exitCode() == 0, "'tulle check' is not content before: %s", before.text());
        edit(SPLIT, text -> text.replace("weight: 90", "weight: [ninety"));
        int line = lineOf(pristine(SPLIT), "weight: 90");
        StringBuilder last = new StringBuilder();
        eventually(
                EFFECT.multipliedBy(2),
                "'tulle check' names %s and a line near %d".formatted(SPLIT, line),
                last,
                () -> {
                    Output check = tulle("check");
                    last.setLength(0);
                    last.append(check.text());
                    return check.exitCode() == 1 && namesLineNear(check.text(), line);
                });
        expect(versionsFor("iPhone", 10).equals(List.of("v2")), "the last good split is not in effect any more");
        expect(versionsFor("X11", 10).equals(List.of("v1")), "the last good split is not in effect any more");
        expect(outcome("catalog").equals("denied"), "the thief profits from a broken file");
        edit(SPLIT, text -> uncommented(weights(text, 1, 0)));
        eventually(
                EFFECT.multipliedBy(2),
                "'tulle check' is content again",
                () -> tulle("check").exitCode() == 0);
        return "";
    }

    /** The YAML reader may see the damage a line or two later than it is. */
    private static boolean namesLineNear(String text, int line) {
        for (int near = line; near <= line + 3; near++) {
            if (text.contains(SPLIT + ":" + near)) {
                return true;
            }
        }
        return false;
    }

    private String killAnInstance() throws Exception {
        Instance victim = Shop.REVIEWS_V1_2;
        Instance other = Shop.REVIEWS_V1_1;
        long failedBefore = failed();
        long servedBefore = seen(other).path("total").asLong();
        mesh.processes().kill(LivingMesh.applicationOf(victim));
        mesh.processes().kill(LivingMesh.proxyOf(victim));
        eventually(EFFECT, "the controller takes %s away".formatted(victim.name()), () -> !isConnected(victim));
        Thread.sleep(500);
        long cost = failed() - failedBefore;
        expect(
                cost <= COST_OF_A_KILL,
                "%d requests failed, more than %d: %s",
                cost,
                COST_OF_A_KILL,
                load().path("failures"));
        long settled = failed();
        String tag = tag();
        for (int i = 0; i < 50; i++) {
            HttpResponse<String> page = http.get(
                    ports.listen(Shop.WEB), "/", Map.of("x-tour", tag, "user-agent", "Mozilla/5.0 (X11; tour)"));
            expect(
                    page.statusCode() == 200,
                    "with one instance left the page is %d: %s",
                    page.statusCode(),
                    page.body());
        }
        expect(tagged(other, tag) == 50, "%s received %d of 50 requests", other.name(), tagged(other, tag));
        expect(failed() == settled, "requests still fail: %s", load().path("failures"));
        expect(seen(other).path("total").asLong() > servedBefore + 50, "%s does not serve the load", other.name());

        mesh.startApplication(victim);
        mesh.makeTokens(List.of(victim));
        mesh.startProxy(victim);
        mesh.awaitProxies(List.of(victim));
        eventually(
                RETURN,
                "%s serves again".formatted(victim.name()),
                () -> seen(victim).path("total").asLong() > 10);
        expect(failed() == settled, "its return made requests fail: %s", load().path("failures"));
        return "%d of the load's requests failed".formatted(cost);
    }

    private String killTheController() throws Exception {
        mesh.processes().kill("controller");
        long sent = load().path("sent").asLong();
        Thread.sleep(2_000);
        long during = load().path("sent").asLong() - sent;
        expect(during > Apps.LOAD_RATE, "only %d requests were sent without a controller", during);
        expect(outcome("catalog").equals("denied"), "without a controller the thief is not denied");
        expect(versionsFor("iPhone", 10).equals(List.of("v2")), "without a controller the split is lost");
        mesh.startController();
        mesh.awaitController();
        mesh.awaitProxies(Shop.INSTANCES);
        edit(
                ACCESS,
                text -> text.replace(
                        "  #- {kind: ServiceAccount, name: thief", "  - {kind: ServiceAccount, name: thief"));
        eventually(EFFECT, "an edit counts again", () -> outcome("catalog").equals("allowed"));
        edit(ACCESS, text -> text);
        eventually(EFFECT, "an edit counts again", () -> outcome("catalog").equals("denied"));
        return "%d requests without a controller".formatted(during);
    }

    private String rotateTheRoot() throws Exception {
        String oldRoot = anchors().getFirst();
        long sent = load().path("sent").asLong();
        edit(SETTINGS, text -> replaceOnce(text, "root-generation: \"1\"", "root-generation: \"2\""));
        long after = eventually(ROTATION, "the rotation has settled", () -> {
            JsonNode ca = http.json(ports.http(), "/api/v1/ca");
            return ca.path("rotation").path("phase").asText().equals("settled")
                    && ca.path("rotation").path("generation").asLong() == 2
                    && ca.path("anchors").size() == 1;
        });
        String newRoot = anchors().getFirst();
        expect(!newRoot.equals(oldRoot), "the root is still the old one");
        for (Instance instance : Shop.INSTANCES) {
            if (instance.serves()) {
                WireCertificate shown = WireCertificate.seenAt(ports.listen(instance), "TLSv1.3");
                expect(shown.leadsTo(newRoot), "%s shows a certificate that is not of the new root", instance.name());
                expect(!shown.leadsTo(oldRoot), "%s shows a certificate of the old root", instance.name());
                expect(shown.uris().equals(List.of(instance.identity())), "%s shows %s", instance.name(), shown.uris());
            }
        }
        Thread.sleep(1_000);
        expect(outcome("catalog").equals("denied"), "after the rotation the thief is not denied");
        Output check = tulle("check");
        expect(check.exitCode() == 0, "'tulle check' is not content: %s", check.text());
        return "%d requests while it took %.1f s".formatted(load().path("sent").asLong() - sent, after / 1e3);
    }

    private String end() throws Exception {
        JsonNode load = load();
        List<Long> pids = new ArrayList<>();
        try (var files = Files.list(folder.pids())) {
            for (Path file : files.toList()) {
                Files.readAllLines(file).forEach(pid -> pids.add(Long.parseLong(pid)));
            }
        }
        expect(pids.size() == 2 * Shop.INSTANCES.size() + 2, "%d processes ran", pids.size());
        mesh.close();
        for (long pid : pids) {
            expect(ProcessHandle.of(pid).filter(ProcessHandle::isAlive).isEmpty(), "process %d is still there", pid);
        }
        for (Map.Entry<Integer, String> port : ports.all().entrySet()) {
            expect(PortOwners.isFree(port.getKey()), "port %d (%s) is still taken", port.getKey(), port.getValue());
        }
        return "of the load's %d requests %d failed by the kill, %d otherwise"
                .formatted(
                        load.path("sent").asLong(),
                        load.path("failed").asLong() - unexpectedFailures,
                        unexpectedFailures);
    }

    /** {@code body}, during which no request of the load may fail. */
    private CheckRun.Body quiet(CheckRun.Body body) {
        return () -> {
            long before = failed();
            String remark;
            try {
                remark = body.walk();
            } finally {
                unexpectedFailures += failed() - before;
            }
            expect(
                    failed() == before,
                    "%d requests of the load failed: %s",
                    failed() - before,
                    load().path("failures"));
            return remark;
        };
    }

    private long failed() throws IOException, InterruptedException {
        return load().path("failed").asLong();
    }

    private JsonNode load() throws IOException, InterruptedException {
        return http.json(ports.load(), "/stats");
    }

    private void pauseLoad() throws Exception {
        http.json(ports.load(), "/rate?0");
        eventually(EFFECT, "the load pauses", () -> {
            JsonNode load = load();
            return load.path("rate").asInt() == 0 && load.path("inFlight").asLong() == 0;
        });
    }

    private void resumeLoad() throws IOException, InterruptedException {
        http.json(ports.load(), "/rate?" + Apps.LOAD_RATE);
    }

    private JsonNode seen(Instance instance) throws IOException, InterruptedException {
        return http.json(ports.control(instance), "/seen");
    }

    private long tagged(Instance instance, String tag) throws IOException, InterruptedException {
        return seen(instance).path("byTag").path(tag).asLong();
    }

    private JsonNode tryAt(String what, String tag) throws IOException, InterruptedException {
        HttpResponse<String> answer = http.get(ports.control(Shop.THIEF), "/try/" + what, Map.of("x-tour", tag));
        return new com.fasterxml.jackson.databind.ObjectMapper().readTree(answer.body());
    }

    private String outcome(String what) throws IOException, InterruptedException {
        return tryAt(what, "outcome").path("outcome").asText();
    }

    private boolean isConnected(Instance instance) throws IOException, InterruptedException {
        for (JsonNode proxy : http.json(ports.http(), "/api/v1/proxies").path("proxies")) {
            if (proxy.path("workload").asText().equals(instance.workload())) {
                return proxy.path("connected").asBoolean();
            }
        }
        return false;
    }

    /** The roots that the mesh trusts now, in PEM. */
    private List<String> anchors() throws IOException, InterruptedException {
        List<String> anchors = new ArrayList<>();
        http.json(ports.http(), "/api/v1/ca")
                .path("anchors")
                .forEach(anchor -> anchors.add(anchor.path("pem").asText()));
        return anchors;
    }

    private record Output(int exitCode, String text) {}

    /** Runs the command {@code tulle} as a user would. */
    private Output tulle(String... words) throws IOException, InterruptedException, Unexpected {
        List<String> command = new ArrayList<>(List.of(mesh.tulle()));
        command.addAll(List.of(words));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().putAll(mesh.environment());
        builder.environment().put("TULLE_SERVER", "http://127.0.0.1:" + ports.http());
        Process process = builder.start();
        process.getOutputStream().close();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(COMMAND.toSeconds(), TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new Unexpected("'tulle %s' took longer than %d s".formatted(words[0], COMMAND.toSeconds()));
        }
        return new Output(process.exitValue(), text);
    }

    private String pristine(String file) {
        return pristine.getOrDefault(file, "");
    }

    /** Writes a file anew: {@code change} of what it was at the start. */
    private void edit(String file, UnaryOperator<String> change) throws IOException {
        Files.writeString(mesh.file(file), change.apply(pristine(file)));
    }

    private static String weights(String text, int v1, int v2) {
        return replaceOnce(
                replaceOnce(text, "reviews-v1, weight: 90", "reviews-v1, weight: " + v1),
                "reviews-v2, weight: 10",
                "reviews-v2, weight: " + v2);
    }

    private static String replaceOnce(String text, String from, String to) {
        int at = text.indexOf(from);
        if (at < 0 || text.indexOf(from, at + 1) >= 0) {
            throw new IllegalStateException("'%s' is not in the file exactly once".formatted(from));
        }
        return text.replace(from, to);
    }

    /** The text with the {@code #} before the split of the iPhones gone. */
    static String uncommented(String text) {
        int at = text.indexOf("\n#---\n");
        if (at < 0) {
            throw new IllegalStateException("the commented split is not there");
        }
        return text.substring(0, at) + text.substring(at).replace("\n#", "\n");
    }

    private static int lineOf(String text, String part) {
        return (int) text.substring(0, text.indexOf(part)).lines().count();
    }

    private static String tag() {
        return UUID.randomUUID().toString();
    }

    private interface Condition {
        boolean holds() throws Exception;
    }

    @SuppressWarnings("AnnotateFormatMethod") // its annotation would be a dependency for this one method
    private static void expect(boolean holds, String message, Object... values) throws Unexpected {
        if (!holds) {
            throw new Unexpected(message.formatted(values));
        }
    }

    private static long eventually(Duration patience, String what, Condition condition) throws Exception {
        return eventually(patience, what, new StringBuilder(), condition);
    }

    /** Waits until {@code condition} holds; how many milliseconds that took. {@code last} is added to the complaint. */
    private static long eventually(Duration patience, String what, StringBuilder last, Condition condition)
            throws Exception {
        long start = System.nanoTime();
        while (true) {
            if (condition.holds()) {
                return (System.nanoTime() - start) / 1_000_000;
            }
            if (System.nanoTime() - start > patience.toNanos()) {
                throw new Unexpected("not within %d s: %s%s"
                        .formatted(patience.toSeconds(), what, last.isEmpty() ? "" : "; last: " + last));
            }
            Thread.sleep(POLL_MILLIS);
        }
    }
}
