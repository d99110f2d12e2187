package dev.tulle.proxy.discovery;

import dev.tulle.proxy.bootstrap.Limits;
import dev.tulle.proxy.bootstrap.Log;
import dev.tulle.proxy.bootstrap.Transport;
import dev.tulle.proxy.identity.Alpn;
import dev.tulle.proxy.identity.Backoff;
import dev.tulle.proxy.identity.ControllerConnection;
import dev.tulle.proxy.identity.Enroller;
import dev.tulle.proxy.identity.TlsContexts;
import dev.tulle.proxy.model.DestinationKey;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.MalformedMessage;
import dev.tulle.proxy.model.ProxyCodec;
import dev.tulle.proxy.model.ProxyConfig;
import dev.tulle.proxy.model.Report;
import dev.tulle.proxy.model.ToController;
import dev.tulle.proxy.model.ToProxy;
import dev.tulle.proxy.model.TrustBundle;
import dev.tulle.proxy.model.WorkloadConfig;
import dev.tulle.proxy.telemetry.Meters;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The stream to the controller: config in, answers and reports out; kept up for ever.
 *
 * <p>When it breaks, what was heard last stays in force and the stream is opened again after a growing pause. When the certificate
 * changes, a second stream is opened beside the first, which ends once the second is up: the controller sees no gap. Everything
 * happens on the control loop.
 */
public final class DiscoveryClient {
    private static final Duration LEAST_PAUSE = Duration.ofMillis(100);
    private static final Duration MOST_PAUSE = Duration.ofSeconds(10);
    private static final Duration REFUSED_PAUSE = Duration.ofSeconds(30);
    private static final long NEW_CERTIFICATE_JITTER_MILLIS = 2000;
    private static final int MAX_ERROR_CHARS = 1000;
    private static final Pattern VERSION = Pattern.compile("\"version\"\\s*:\\s*(\\d{1,18})");

    private final Wiring wiring;
    private final HostPort controller;
    private final Enroller enroller;
    private final String instance;
    private final String proxyVersion;
    private final ConfigStore store;
    private final Backoff backoff;
    private final Timers timers = new Timers();
    private Optional<ToController.Health> health = Optional.empty();
    private HeldConfig held = HeldConfig.nothing();
    private @Nullable DiscoveryStream current;
    private @Nullable DiscoveryStream opening;
    /** Serial number of the certificate that the newest stream was opened with. */
    private BigInteger shown = BigInteger.ZERO;

    private boolean closed;

    /** What the client works with. */
    public record Wiring(
            EventLoop loop,
            Transport transport,
            TlsContexts contexts,
            Meters meters,
            Limits.Control limits,
            Log log,
            Clock clock,
            RandomGenerator random) {}

    /** What will happen later; one thing of each kind. */
    private final class Timers {
        private final Map<String, Future<?>> pending = new LinkedHashMap<>();

        void after(String kind, Duration pause, Runnable then) {
            Future<?> before = pending.remove(kind);
            if (before != null) {
                before.cancel(false);
            }
            if (!closed) {
                pending.put(kind, wiring.loop().schedule(then, pause.toMillis(), TimeUnit.MILLISECONDS));
            }
        }

        void cancel() {
            pending.values().forEach(timer -> timer.cancel(false));
        }
    }

    /**
     * @param enroller whose certificate is in force already
     * @param instance tells this run of the workload from others
     */
    public DiscoveryClient(
            Wiring wiring,
            HostPort controller,
            Enroller enroller,
            ConfigStore store,
            String instance,
            String proxyVersion) {
        this.wiring = wiring;
        this.controller = controller;
        this.enroller = enroller;
        this.store = store;
        this.instance = instance;
        this.proxyVersion = proxyVersion;
        this.backoff = new Backoff(LEAST_PAUSE, MOST_PAUSE, wiring.random());
    }

    /** Opens the stream and keeps it. Any thread. */
    public void start() {
        wiring.loop().execute(() -> {
            store.serveBy(new ConfigStore.Watches() {
                @Override
                public boolean watch(DestinationKey key) {
                    toAll(new ToController.Watch(key));
                    return true;
                }

                @Override
                public void unwatch(DestinationKey key) {
                    held = held.only(store.watched());
                    toAll(new ToController.Unwatch(key));
                }
            });
            wiring.contexts().onChange(swapped -> wiring.loop().execute(() -> reconnectForCertificate(swapped)));
            open();
            report();
        });
    }

    /** Says whether the workload is well; told at once when it changes and to each new stream. Any thread. */
    public void health(boolean ready, String detail) {
        wiring.loop().execute(() -> {
            ToController.Health next = new ToController.Health(ready, detail);
            if (!health.equals(Optional.of(next))) {
                health = Optional.of(next);
                toAll(next);
            }
        });
    }

    /** Sends a last report and ends the stream for good. Any thread; the answer comes when it is gone. */
    public Future<?> close() {
        return wiring.loop().submit(() -> {
            DiscoveryStream live = current;
            if (live != null && live.isLive()) {
                sendReports(live);
            }
            closed = true;
            timers.cancel();
            if (live != null) {
                live.end();
            }
            if (opening != null) {
                opening.end();
            }
            wiring.meters().control().connected(false);
        });
    }

    private void open() {
        if (closed || opening != null) {
            return;
        }
        TlsContexts.Current tls = wiring.contexts().current().orElseThrow();
        shown = tls.serial();
        DiscoveryStream stream = new DiscoveryStream(this, wiring.limits(), wiring.meters());
        opening = stream;
        ControllerConnection.open(
                        wiring.loop(),
                        wiring.transport(),
                        controller,
                        tls.client(Alpn.H2),
                        ControllerConnection.identityIn(tls.identity().trustDomain()))
                .addListener((Future<ControllerConnection> opened) -> {
                    if (!opened.isSuccess()) {
                        if (opened.cause() instanceof ControllerConnection.TlsFailure) {
                            enroller.doubted();
                        }
                        lost(stream, String.valueOf(opened.cause().getMessage()), false);
                        return;
                    }
                    ControllerConnection connection = opened.getNow();
                    connection.openStream(stream).addListener((Future<Channel> channel) -> {
                        if (channel.isSuccess() && !closed) {
                            stream.begin(connection, channel.getNow(), greeting());
                        } else {
                            connection.close();
                            lost(stream, "the controller closed the connection", false);
                        }
                    });
                });
    }

    private List<ToController> greeting() {
        List<ToController> greeting = new ArrayList<>();
        greeting.add(new ToController.Hello(
                enroller.workload(), instance, proxyVersion, ToController.Hello.PROTOCOL, held.version()));
        health.ifPresent(greeting::add);
        for (DestinationKey key : store.watched()) {
            greeting.add(new ToController.Watch(key));
        }
        return greeting;
    }

    /** The controller has taken a stream. */
    void live(DiscoveryStream stream) {
        if (opening != stream) {
            return;
        }
        DiscoveryStream before = current;
        current = stream;
        opening = null;
        if (before != null) {
            before.end();
        } else {
            wiring.meters().control().connected(true);
            wiring.log().info("stream to the controller is up", "controller", controller);
        }
    }

    /** A stream ended, or never came up. {@code refused}: the controller said why, and will say it again. */
    void lost(DiscoveryStream stream, String problem, boolean refused) {
        if (stream == opening) {
            opening = null;
        } else if (stream == current) {
            current = null;
            wiring.meters().control().connected(false);
        } else {
            return;
        }
        if (closed) {
            return;
        }
        Duration pause = refused ? REFUSED_PAUSE.minusMillis(wiring.random().nextLong(5000)) : backoff.next();
        wiring.log()
                .warn(
                        refused ? "the controller refuses the stream" : "stream to the controller is down",
                        "controller",
                        controller,
                        "problem",
                        problem,
                        "again-in",
                        pause.toMillis() + "ms");
        timers.after("open", pause, this::open);
    }

    /** Takes what came in one read: compiled once, answered one by one. */
    void received(DiscoveryStream stream, List<byte[]> lines) {
        if (closed || stream != current) {
            return;
        }
        backoff.reset();
        List<ToProxy> usable = new ArrayList<>();
        for (byte[] line : lines) {
            try {
                Optional<ToProxy> message = ProxyCodec.decodeToProxy(line);
                if (message.isPresent()) {
                    check(message.get());
                    usable.add(message.get());
                }
            } catch (MalformedMessage | IllegalArgumentException e) {
                refuse(stream, versionIn(line), e);
            }
        }
        HeldConfig next = held;
        for (ToProxy message : usable) {
            next = next.with(message);
        }
        try {
            use(next);
            usable.forEach(message -> stream.send(new ToController.Ack(message.version())));
        } catch (RuntimeException e) {
            oneByOne(stream, usable, e);
        }
    }

    /** A line was longer than allowed. */
    void tooLong(DiscoveryStream stream) {
        refuse(
                stream,
                0,
                new IllegalArgumentException("a line is longer than %d bytes"
                        .formatted(wiring.limits().maxLineToProxyBytes())));
    }

    private void oneByOne(DiscoveryStream stream, List<ToProxy> messages, RuntimeException together) {
        if (messages.size() < 2) {
            messages.forEach(message -> refuse(stream, message.version(), together));
            return;
        }
        for (ToProxy message : messages) {
            try {
                use(held.with(message));
                stream.send(new ToController.Ack(message.version()));
            } catch (RuntimeException e) {
                refuse(stream, message.version(), e);
            }
        }
    }

    /** Throws IllegalArgumentException for a message that is not for this proxy; takes a trust bundle at once. */
    private void check(ToProxy message) {
        switch (message) {
            case ToProxy.Workload(long v, WorkloadConfig config) -> {
                if (!config.workload().equals(enroller.workload())) {
                    throw new IllegalArgumentException("config.workload: this is the proxy of %s, not of %s"
                            .formatted(enroller.workload(), config.workload()));
                }
                TlsContexts.Current tls = wiring.contexts().current().orElseThrow();
                if (!config.identity().equals(tls.identity())) {
                    throw new IllegalArgumentException("config.identity: this proxy proves to be %s, not %s"
                            .formatted(tls.identity(), config.identity()));
                }
            }
            case ToProxy.Trust(long v, TrustBundle bundle) -> enroller.trust(bundle);
            case ToProxy.Watched watched -> {}
        }
    }

    private void use(HeldConfig next) {
        HeldConfig watchedOnly = next.only(store.watched());
        Optional<ProxyConfig> config = watchedOnly.config();
        if (config.isPresent()) {
            store.replace(config.get());
            wiring.meters()
                    .serves(
                            config.get().workload().workload(),
                            config.get().workload().owner());
            wiring.meters()
                    .control()
                    .configApplied(config.get().version(), wiring.clock().instant());
        }
        held = watchedOnly;
    }

    private void refuse(DiscoveryStream stream, long version, Exception problem) {
        String text = String.valueOf(problem.getMessage());
        String error = text.length() <= MAX_ERROR_CHARS ? text : text.substring(0, MAX_ERROR_CHARS) + "…";
        wiring.meters().control().configRejected();
        wiring.log().error("a config cannot be used; the last good one stays", "version", version, "problem", error);
        stream.send(new ToController.Nack(version, error));
    }

    private void report() {
        DiscoveryStream live = current;
        if (live != null && live.isLive()) {
            sendReports(live);
        }
        timers.after("report", Duration.ofSeconds(ToController.Reported.SECONDS), this::report);
    }

    private void sendReports(DiscoveryStream live) {
        if (!live.isWritable()) {
            // Counts add up meanwhile and go with the next report.
            wiring.meters().limitHit("stream_not_writable");
            return;
        }
        for (Report report : wiring.meters().drain()) {
            live.send(new ToController.Reported(report));
        }
    }

    private void toAll(ToController message) {
        if (current != null) {
            current.send(message);
        }
        if (opening != null) {
            opening.send(message);
        }
    }

    /** The controller refuses our certificate. */
    void doubted() {
        enroller.doubted();
    }

    /** A change of the trust bundle alone is nothing to the stream that is up. */
    private void reconnectForCertificate(TlsContexts.Current swapped) {
        if (!swapped.serial().equals(shown)) {
            Duration pause = current == null
                    ? LEAST_PAUSE
                    : Duration.ofMillis(wiring.random().nextLong(NEW_CERTIFICATE_JITTER_MILLIS));
            timers.after("open", pause, this::open);
        }
    }

    /** The version in a line that could not be read whole; 0 when there is none. */
    private static long versionIn(byte[] line) {
        Matcher matcher = VERSION.matcher(new String(line, 0, Math.min(line.length, 4096), StandardCharsets.UTF_8));
        return matcher.find() ? Long.parseLong(matcher.group(1)) : 0;
    }
}
