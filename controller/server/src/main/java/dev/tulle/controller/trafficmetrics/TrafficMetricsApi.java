package dev.tulle.controller.trafficmetrics;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tulle.controller.model.Mesh;
import dev.tulle.controller.report.TrafficWindow;
import dev.tulle.controller.trafficmetrics.FrontProxy.User;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Answers the API server's aggregator: {@code GET /apis/metrics.smi-spec.io/v1alpha1/...}.
 *
 * <p>Every replica says what there is to ask for; only the one that leads has numbers, and has them once whole {@link #WINDOW}s were
 * reported to it. Until then it answers 503 and when to come again, for a part would look like the whole. Handlers run on event loops,
 * answers are worked out on worker threads; at most {@value #MOST} at once.
 */
public final class TrafficMetricsApi implements Handler<HttpServerRequest> {
    /** What every document tells of. */
    static final Duration WINDOW = Duration.ofSeconds(30);

    /** How long proxies may take to find a new leader; what they report first may be older than it looks. */
    static final Duration FINDING = Duration.ofSeconds(10);

    private static final Duration NO_LEADER = Duration.ofSeconds(2);
    private static final Duration UNREADABLE = Duration.ofSeconds(5);
    /** How long what is known of the front proxy counts; its authorities are exchanged by overlap. */
    private static final Duration KNOWN = Duration.ofSeconds(30);

    private static final int MOST = 32;
    private static final String AUTHENTICATION = "extension-apiserver-authentication";
    private static final Logger LOG = Logger.getLogger(TrafficMetricsApi.class);

    private final KubernetesClient client;
    private final Vertx vertx;
    private final Clock clock;
    private final Permissions permissions;
    private final AtomicInteger underWay = new AtomicInteger();
    private volatile Optional<TrafficSeen> seen = Optional.empty();
    private Optional<FrontProxy> front = Optional.empty();
    private Instant readAt = Instant.EPOCH;

    public TrafficMetricsApi(KubernetesClient client, Vertx vertx, Clock clock) {
        this.client = requireNonNull(client, "client");
        this.vertx = requireNonNull(vertx, "vertx");
        this.clock = requireNonNull(clock, "clock");
        this.permissions = new Permissions(client, clock);
    }

    /** Has numbers from now on; closing what it gives ends that. */
    public AutoCloseable lead(TrafficSeen from) {
        seen = Optional.of(from);
        return () -> seen = Optional.empty();
    }

    /** What counts of a request. */
    private record Question(
            String method,
            String path,
            SortedMap<String, List<String>> parameters,
            SortedMap<String, List<String>> headers,
            List<X509Certificate> chain) {}

    @Override
    public void handle(HttpServerRequest request) {
        if (underWay.incrementAndGet() > MOST) {
            underWay.decrementAndGet();
            send(request, Reply.refusal(429, "TooManyRequests", "Too many requests are under way: try again."));
            return;
        }
        Question question = new Question(
                request.method().name(),
                request.path() == null ? "" : request.path(),
                lists(request.params()),
                lists(request.headers()),
                chain(request));
        vertx.executeBlocking(() -> answer(question), false).onComplete(done -> {
            underWay.decrementAndGet();
            if (done.succeeded()) {
                send(request, done.result());
            } else {
                LOG.errorf(done.cause(), "metrics not told path=%s", question.path());
                send(request, Reply.refusal(500, "InternalError", "The controller failed; its log says why."));
            }
        });
    }

    private static SortedMap<String, List<String>> lists(Iterable<Map.Entry<String, String>> entries) {
        SortedMap<String, List<String>> lists = new TreeMap<>();
        entries.forEach(
                entry -> lists.computeIfAbsent(entry.getKey().toLowerCase(Locale.ROOT), name -> new ArrayList<>())
                        .add(entry.getValue()));
        return lists;
    }

    private static List<X509Certificate> chain(HttpServerRequest request) {
        List<X509Certificate> chain = new ArrayList<>();
        try {
            for (Certificate certificate : request.connection().peerCertificates()) {
                chain.add((X509Certificate) certificate);
            }
        } catch (SSLPeerUnverifiedException e) {
            // It showed none: the empty chain says so.
        }
        return chain;
    }

    private Reply answer(Question question) {
        FrontProxy known;
        try {
            known = front();
        } catch (KubernetesClientException | IllegalArgumentException e) {
            LOG.warnf("front proxy unknown configmap=kube-system/%s cause=%s", AUTHENTICATION, e.getMessage());
            return Reply.later(UNREADABLE, "ConfigMap kube-system/%s: %s".formatted(AUTHENTICATION, e.getMessage()));
        }
        Optional<String> doubts = known.doubts(question.chain());
        Optional<User> user = known.user(question.headers());
        if (doubts.isPresent() || user.isEmpty()) {
            return Reply.refusal(401, "Unauthorized", doubts.orElse("The front proxy does not say who asks."));
        }
        if (!question.method().equals("GET")) {
            return Reply.refusal(405, "MethodNotAllowed", "There is only GET: traffic is seen, and cannot be written.");
        }
        Optional<Asked> asked = Asked.read(question.path());
        if (asked.isEmpty()) {
            return Reply.refusal(
                    404, "NotFound", "There is nothing at this path; %s lists what there is.".formatted(Asked.PREFIX));
        }
        return switch (asked.get()) {
            case Asked.Discovery(Asked.Discovery.Level level) -> Reply.of(DiscoveryDocuments.of(level));
            case Asked.Traffic traffic -> told(traffic, user.get(), question.parameters());
        };
    }

    private Reply told(Asked.Traffic asked, User user, SortedMap<String, List<String>> parameters) {
        Asked.Right right = asked.right();
        try {
            if (!permissions.allows(user, right)) {
                return Reply.refusal(
                        403,
                        "Forbidden",
                        "User \"%s\" cannot %s resource \"%s\" in API group \"%s\"%s"
                                .formatted(
                                        user.name(),
                                        right.verb(),
                                        right.resource()
                                                + (right.subresource().isEmpty() ? "" : "/" + right.subresource()),
                                        Asked.GROUP,
                                        right.namespace().isEmpty()
                                                ? " at the cluster scope"
                                                : " in the namespace \"%s\"".formatted(right.namespace())));
            }
        } catch (KubernetesClientException e) {
            LOG.warnf("access not reviewed cause=%s", e.getMessage());
            return Reply.later(UNREADABLE, "The API server did not say whether this may be seen: " + e.getMessage());
        }
        LabelSelector selector;
        try {
            selector = selector(asked, parameters);
        } catch (IllegalArgumentException e) {
            return Reply.refusal(400, "BadRequest", String.valueOf(e.getMessage()));
        }
        Optional<TrafficSeen> numbers = seen;
        if (numbers.isEmpty()) {
            return Reply.later(
                    NO_LEADER, "This controller does not lead: ask again, the one that does has the numbers.");
        }
        TrafficWindow.WholeSlices slices = numbers.get().window().whole(WINDOW);
        Instant complete = numbers.get().since().plus(FINDING);
        Optional<Mesh> mesh = numbers.get().mesh().get();
        if (slices.from().isBefore(complete) || mesh.isEmpty()) {
            Duration left = Duration.between(slices.from(), complete).plus(TrafficWindow.SLICE);
            return Reply.later(
                    left.isNegative() ? NO_LEADER : left,
                    "This controller leads since %s; numbers of a whole window of %d s are not there yet."
                            .formatted(numbers.get().since(), WINDOW.toSeconds()));
        }
        TrafficDocuments documents =
                new TrafficDocuments(slices, numbers.get().pods().pods(), mesh.get());
        Optional<ObjectNode> document = switch (asked) {
            case Asked.One(Kind kind, String namespace, String name) -> documents.one(kind, namespace, name);
            case Asked.Many(Kind kind, String namespace) -> Optional.of(documents.many(kind, namespace, selector));
            case Asked.Edges(Kind kind, String namespace, String name) -> documents.edges(kind, namespace, name);
        };
        return document.map(Reply::of).orElseGet(() -> notFound(asked));
    }

    private static LabelSelector selector(Asked.Traffic asked, SortedMap<String, List<String>> parameters) {
        for (String unknown : List.of("fieldSelector", "watch")) {
            if (parameters.getOrDefault(unknown.toLowerCase(Locale.ROOT), List.of()).stream()
                    .anyMatch(value -> !value.isEmpty() && !value.equals("false") && !value.equals("0"))) {
                throw new IllegalArgumentException("There is no %s here.".formatted(unknown));
            }
        }
        LabelSelector selector =
                LabelSelector.parse(String.join(",", parameters.getOrDefault("labelselector", List.of())));
        if (!selector.isEmpty() && !(asked instanceof Asked.Many && asked.kind().hasLabels())) {
            throw new IllegalArgumentException(
                    "labelSelector chooses among lists of pods and of what makes pods, by the labels of the pods; not among %s."
                            .formatted(asked.right().resource()));
        }
        return selector;
    }

    private static Reply notFound(Asked.Traffic asked) {
        Asked.Right right = asked.right();
        return Reply.refusal(
                404,
                "NotFound",
                "%s.%s \"%s\" not found: nothing of that name is in the mesh"
                        .formatted(
                                asked.kind().plural(),
                                Asked.GROUP,
                                right.name().isEmpty() ? right.namespace() : right.name()));
    }

    private synchronized FrontProxy front() {
        Instant now = clock.instant();
        if (front.isEmpty() || now.isAfter(readAt.plus(KNOWN))) {
            // Also of a try that fails: else each request would wait for an API server that is away.
            readAt = now;
            try {
                @Nullable ConfigMap found = client.configMaps()
                        .inNamespace("kube-system")
                        .withName(AUTHENTICATION)
                        .get();
                front = Optional.of(
                        FrontProxy.of(found == null || found.getData() == null ? Map.of() : found.getData()));
            } catch (KubernetesClientException | IllegalArgumentException e) {
                if (front.isEmpty()) {
                    throw e;
                }
                LOG.debugf("front proxy not read again cause=%s", e.getMessage());
            }
        }
        return front.get();
    }

    private static void send(HttpServerRequest request, Reply reply) {
        HttpServerResponse response = request.response();
        if (response.ended() || response.closed()) {
            return;
        }
        boolean isUnread = !request.isEnded() && request.version() != HttpVersion.HTTP_2;
        reply.retryAfter().ifPresent(after -> response.putHeader("retry-after", String.valueOf(after.toSeconds())));
        if (reply.status() == 405) {
            response.putHeader("allow", "GET");
        }
        var sent = response.setStatusCode(reply.status())
                .putHeader("content-type", "application/json")
                .putHeader("cache-control", "no-cache, private")
                .end(reply.body().toString());
        if (isUnread) {
            // What is left of the body must not be taken for the next request.
            sent.onComplete(done -> request.connection().close());
        }
    }
}
