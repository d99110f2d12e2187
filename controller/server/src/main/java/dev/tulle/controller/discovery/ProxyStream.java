package dev.tulle.controller.discovery;

import dev.tulle.controller.identity.PeerVerifier.Judgement;
import dev.tulle.proxy.model.DestinationKey;
import dev.tulle.proxy.model.MalformedMessage;
import dev.tulle.proxy.model.ProxyCodec;
import dev.tulle.proxy.model.ToController;
import dev.tulle.proxy.model.ToProxy;
import dev.tulle.proxy.model.WorkloadConfig;
import dev.tulle.proxy.model.WorkloadId;
import io.vertx.core.Context;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * One proxy's stream, from its hello to its end.
 *
 * <p>Everything but {@link #refresh}, {@link #supersede} and {@link #watched} happens on the stream's own event loop.
 */
final class ProxyStream {
    private static final Logger LOG = Logger.getLogger(ProxyStream.class);
    private static final int HTTP2_NO_ERROR = 0x0;
    private static final int HTTP2_PROTOCOL_ERROR = 0x1;
    private static final int HTTP2_ENHANCE_YOUR_CALM = 0xb;
    private static final Duration LOOK = Duration.ofMillis(500);
    private static final int MAX_TEXT = 300;

    private final DiscoveryContext shared;
    private final HttpServerResponse response;
    private final Context loop;
    private final Judgement.Proven caller;
    private final String address;
    private final Lines lines;
    private final Set<DestinationKey> watched = ConcurrentHashMap.newKeySet();
    private final long timer;
    private final Instant opened;

    private @Nullable Hello hello;
    private Outbox outbox = new Outbox(0);
    private Optional<ProxyStatus.Health> health = Optional.empty();
    private Instant leafEnds;
    private String issuer;
    private long connections;
    private Instant heard;
    private @Nullable Instant blockedSince;
    private boolean over;

    private record Hello(WorkloadId workload, String instance, String version) {}

    /** Takes over a request whose caller was proved. */
    ProxyStream(DiscoveryContext shared, HttpServerRequest request, Judgement.Proven caller, Context loop) {
        this.shared = shared;
        this.response = request.response();
        this.loop = loop;
        this.caller = caller;
        this.address = String.valueOf(request.remoteAddress());
        this.lines = new Lines(shared.limits().lineBytes());
        this.leafEnds = caller.ends();
        this.issuer = caller.issuer();
        this.opened = shared.clock().instant();
        this.heard = opened;
        this.timer = shared.vertx().setPeriodic(LOOK.toMillis(), id -> look());
        request.handler(this::read);
        request.endHandler(end -> finish("the proxy ended it"));
        request.exceptionHandler(failure -> finish("the connection was lost"));
        response.exceptionHandler(failure -> finish("the connection was lost"));
        response.closeHandler(closed -> finish("the connection was lost"));
        response.drainHandler(drained -> drained());
    }

    /** Tells the stream that there is a newer snapshot. From any thread. */
    void refresh() {
        loop.runOnContext(nothing -> synchronise());
    }

    /** Ends the stream because its proxy opened another one. From any thread. */
    void supersede() {
        loop.runOnContext(nothing -> cut(HTTP2_NO_ERROR, "the proxy opened a newer stream", false));
    }

    /** What is watched now. From any thread. */
    Set<DestinationKey> watched() {
        return watched;
    }

    private void read(Buffer bytes) {
        heard = now();
        boolean whole = lines.take(bytes, this::line);
        if (!whole) {
            cut(
                    HTTP2_ENHANCE_YOUR_CALM,
                    "a message is longer than %d bytes"
                            .formatted(shared.limits().lineBytes()),
                    true);
        }
    }

    private void line(byte[] line) {
        if (over) {
            return;
        }
        try {
            Optional<ToController> message = ProxyCodec.decodeToController(line);
            if (message.isPresent()) {
                message(message.get());
            }
        } catch (MalformedMessage e) {
            cut(HTTP2_PROTOCOL_ERROR, "a message cannot be read: " + shortened(String.valueOf(e.getMessage())), true);
        }
    }

    private void message(ToController message) {
        if (hello == null && !(message instanceof ToController.Hello)) {
            refuse(400, "The first line of a stream is 'hello'.");
            return;
        }
        switch (message) {
            case ToController.Hello said -> hello(said);
            case ToController.Watch(DestinationKey key) -> watch(key);
            case ToController.Unwatch(DestinationKey key) -> {
                watched.remove(key);
                outbox.forget(new Slot.Watched(key));
            }
            case ToController.Ack(long version) -> {
                outbox.ack(version);
                note();
            }
            case ToController.Nack(long version, String error) -> {
                outbox.nack(version, shortened(error));
                shared.counters().nacks.increment();
                LOG.warnf(
                        "a proxy could not use its config workload=%s version=%d cause=%s",
                        who(), version, shortened(error));
                note();
            }
            case ToController.Health(boolean ready, String detail) -> {
                health = Optional.of(new ProxyStatus.Health(ready, shortened(detail)));
                note();
                shared.readinessChanged().run();
            }
            case ToController.Reported reported -> {
                connections = reported.report().connections();
                if (!reported.report().issuer().isEmpty()) {
                    issuer = reported.report().issuer();
                    leafEnds = Instant.ofEpochSecond(reported.report().certificateExpiry());
                }
                note();
                shared.reports().reported(workload(), reported.report());
            }
        }
    }

    private void hello(ToController.Hello said) {
        if (hello != null) {
            cut(HTTP2_PROTOCOL_ERROR, "it said hello twice", true);
            return;
        }
        Optional<Snapshot> snapshot = shared.publisher().current();
        if (snapshot.isEmpty()) {
            refuse(503, "The controller is still reading the mesh; try again.");
            return;
        }
        Optional<WorkloadConfig> config = snapshot.get().workload(said.workload());
        if (config.isEmpty()) {
            refuse(404, Enroller.unknownWorkload(said.workload()));
            return;
        }
        if (!config.get().identity().equals(caller.identity())) {
            refuse(403, Enroller.otherIdentity(said.workload(), config.get().identity(), caller.identity()));
            return;
        }
        hello = new Hello(said.workload(), shortened(said.instance()), shortened(said.proxyVersion()));
        outbox = new Outbox(said.held());
        health = shared.registry()
                .status(said.workload())
                .flatMap(before -> before.instance().equals(said.instance()) ? before.health() : Optional.empty());
        if (config.get().healthCheck().isEmpty()) {
            health = Optional.of(new ProxyStatus.Health(true, ""));
        }
        response.putHeader("content-type", "application/x-ndjson");
        shared.publisher().open(said.workload(), this);
        LOG.infof(
                "proxy connected workload=%s instance=%s peer=%s", said.workload(), said.instance(), caller.identity());
        synchronise();
        note();
        shared.readinessChanged().run();
    }

    private void watch(DestinationKey key) {
        if (watched.size() >= shared.limits().watches() && !watched.contains(key)) {
            cut(
                    HTTP2_ENHANCE_YOUR_CALM,
                    "it watches more than %d destinations"
                            .formatted(shared.limits().watches()),
                    true);
            return;
        }
        watched.add(key);
        shared.publisher().current().ifPresent(snapshot -> outbox.offer(snapshot.destination(workload(), key)));
        flush();
    }

    private void synchronise() {
        Optional<Snapshot> snapshot = shared.publisher().current();
        if (over || hello == null || snapshot.isEmpty()) {
            return;
        }
        Optional<WorkloadConfig> config = snapshot.get().workload(workload());
        if (config.isEmpty()) {
            cut(HTTP2_NO_ERROR, "its Workload was deleted", false);
            shared.registry().forget(workload());
            return;
        }
        if (!config.get().identity().equals(caller.identity())) {
            cut(HTTP2_NO_ERROR, Enroller.otherIdentity(workload(), config.get().identity(), caller.identity()), true);
            return;
        }
        outbox.offer(snapshot.get().trust());
        outbox.offer(config.get());
        for (DestinationKey key : watched) {
            outbox.offer(snapshot.get().destination(workload(), key));
        }
        flush();
    }

    private void flush() {
        boolean sent = false;
        while (!over && !outbox.isEmpty() && !response.writeQueueFull()) {
            if (outbox.unanswered() >= shared.limits().unacked()) {
                cut(
                        HTTP2_ENHANCE_YOUR_CALM,
                        "it left %d messages without an answer".formatted(outbox.unanswered()),
                        true);
                return;
            }
            ToProxy message = outbox.next(now().toEpochMilli());
            Buffer line = Buffer.buffer(ProxyCodec.encode(message)).appendByte((byte) '\n');
            if (line.length() > ProxyCodec.MAX_TO_PROXY_BYTES) {
                outbox.nack(
                        message.version(), "larger than %d bytes, not sent".formatted(ProxyCodec.MAX_TO_PROXY_BYTES));
                LOG.errorf("a config is too large to be sent workload=%s version=%d", workload(), message.version());
                continue;
            }
            response.write(line);
            shared.counters().pushes.increment();
            sent = true;
        }
        blockedSince = outbox.isEmpty() || over ? null : blockedSince == null ? now() : blockedSince;
        if (sent) {
            note();
        }
    }

    private void drained() {
        blockedSince = null;
        flush();
    }

    /** Looks whether a limit of time has passed. */
    private void look() {
        Instant now = now();
        DiscoveryLimits limits = shared.limits();
        if (over) {
            return;
        }
        if (hello == null && now.isAfter(opened.plus(limits.hello()))) {
            refuse(
                    408,
                    "The stream said no 'hello' within %d ms."
                            .formatted(limits.hello().toMillis()));
        } else if (blockedSince != null && now.isAfter(blockedSince.plus(limits.stall()))) {
            cut(
                    HTTP2_ENHANCE_YOUR_CALM,
                    "it has left %d messages unread for %d ms"
                            .formatted(outbox.waiting(), limits.stall().toMillis()),
                    true);
        } else if (now.isAfter(heard.plus(limits.silence()))) {
            cut(
                    HTTP2_NO_ERROR,
                    "it has said nothing for %d ms".formatted(limits.silence().toMillis()),
                    true);
        } else if (now.isAfter(caller.ends())) {
            cut(HTTP2_NO_ERROR, "the certificate it was opened with has ended", false);
        }
    }

    private void refuse(int status, String sentence) {
        if (over) {
            return;
        }
        if (status != Answer.NOT_YET) {
            shared.refusals().note(who(), sentence, now());
        }
        shared.counters().refused.increment();
        LOG.warnf("stream refused peer=%s address=%s cause=%s", caller.identity(), address, sentence);
        over = true;
        shared.vertx().cancelTimer(timer);
        DiscoveryServer.send(response, Answer.refusal(status, sentence));
    }

    /** Ends the stream for a reason of ours. */
    private void cut(int code, String cause, boolean fault) {
        if (over) {
            return;
        }
        if (fault) {
            shared.refusals().note(who(), "The stream of its proxy was cut: " + cause + ".", now());
            shared.counters().cut.increment();
        }
        leave(cause);
        if (code == HTTP2_NO_ERROR) {
            response.end();
        } else {
            response.reset(code);
        }
    }

    /** The proxy or the network ended the stream. */
    private void finish(String cause) {
        if (over) {
            return;
        }
        leave(cause);
        if (!response.ended() && !response.closed()) {
            response.end();
        }
    }

    private void leave(String cause) {
        over = true;
        shared.vertx().cancelTimer(timer);
        if (hello != null && shared.publisher().close(workload(), this)) {
            shared.registry().disconnected(workload(), now());
            shared.readinessChanged().run();
        }
        LOG.infof("proxy disconnected workload=%s peer=%s cause=%s", who(), caller.identity(), cause);
    }

    /** Writes down what is known of the proxy now. */
    private void note() {
        Hello said = hello;
        if (said == null || over) {
            return;
        }
        Optional<ProxyStatus> before = shared.registry().status(said.workload());
        shared.registry()
                .update(new ProxyStatus(
                        said.workload(),
                        said.instance(),
                        said.version(),
                        true,
                        opened,
                        heard,
                        outbox.sentVersion(),
                        outbox.ackedVersion(),
                        outbox.oldestUnanswered().map(Instant::ofEpochMilli),
                        outbox.newestNack(),
                        outbox.trust().or(() -> before.flatMap(ProxyStatus::trust)),
                        health,
                        leafEnds,
                        issuer,
                        connections));
    }

    private WorkloadId workload() {
        Hello said = hello;
        if (said == null) {
            throw new IllegalStateException("no hello yet");
        }
        return said.workload();
    }

    private String who() {
        Hello said = hello;
        return said == null ? address : said.workload().toString();
    }

    private Instant now() {
        return shared.clock().instant();
    }

    private static String shortened(String text) {
        return text.length() <= MAX_TEXT ? text : text.substring(0, MAX_TEXT) + "...";
    }
}
