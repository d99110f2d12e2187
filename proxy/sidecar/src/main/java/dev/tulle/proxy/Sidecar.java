package dev.tulle.proxy;

import dev.tulle.proxy.admin.AdminServer;
import dev.tulle.proxy.admin.AppHealth;
import dev.tulle.proxy.admin.ApplicationHealth;
import dev.tulle.proxy.admin.Readiness;
import dev.tulle.proxy.admin.Readiness.Part;
import dev.tulle.proxy.bootstrap.Limits;
import dev.tulle.proxy.bootstrap.Log;
import dev.tulle.proxy.bootstrap.ProxyVersion;
import dev.tulle.proxy.bootstrap.Settings;
import dev.tulle.proxy.bootstrap.Transport;
import dev.tulle.proxy.discovery.ConfigStore;
import dev.tulle.proxy.discovery.DiscoveryClient;
import dev.tulle.proxy.discovery.FileConfig;
import dev.tulle.proxy.guard.LiveState;
import dev.tulle.proxy.identity.Enroller;
import dev.tulle.proxy.identity.IdentityDirectory;
import dev.tulle.proxy.identity.Svid;
import dev.tulle.proxy.identity.TlsContexts;
import dev.tulle.proxy.identity.TokenFile;
import dev.tulle.proxy.identity.UnusableIdentity;
import dev.tulle.proxy.inbound.InboundServer;
import dev.tulle.proxy.model.DestinationKey;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.InboundPort;
import dev.tulle.proxy.model.OutboundListener;
import dev.tulle.proxy.model.ProxyCodec;
import dev.tulle.proxy.model.WorkloadConfig;
import dev.tulle.proxy.model.WorkloadId;
import dev.tulle.proxy.outbound.OutboundServer;
import dev.tulle.proxy.outbound.RedirectProof;
import dev.tulle.proxy.redirect.Reach;
import dev.tulle.proxy.routing.DestinationTable;
import dev.tulle.proxy.routing.RoutingTable;
import dev.tulle.proxy.telemetry.Meters;
import dev.tulle.proxy.telemetry.PrometheusText;
import dev.tulle.proxy.upstream.DataPlane;
import dev.tulle.proxy.upstream.Tables;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.handler.ssl.OpenSsl;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One running proxy: makes the parts, joins them, and ends them in order.
 *
 * <p>Order of start: TLS library, admin server, identity, config, listeners. Order of end: not ready, wait for callers to notice,
 * drain what came in, last report, the rest.
 */
public final class Sidecar {
    private static final long STEP_SECONDS = 10;
    private static final long LISTEN_AGAIN_SECONDS = 2;
    private static final int MIN_TOKEN_CHARS = 16;

    private final Settings settings;
    private final Limits limits;
    private final Log log;
    private final Clock clock = Clock.systemUTC();
    private final SecureRandom random = new SecureRandom();
    private final Transport transport = Transport.best();
    private final EventLoopGroup controlLoops;
    private final EventLoop control;
    private final Meters meters;
    private final TlsContexts contexts;
    private final Readiness readiness = new Readiness();
    private final ApplicationHealth application;
    private boolean applicationWell;
    private String applicationDetail = "not yet looked at";
    private @Nullable DataPlane plane;
    private @Nullable InboundServer inbound;
    private @Nullable OutboundServer outbound;
    private final Set<String> listening = new HashSet<>();
    private @Nullable RedirectProof proof;
    private @Nullable DiscoveryClient discovery;
    private @Nullable Enroller enroller;

    private Sidecar(Settings settings, Limits limits, Log log) {
        this.settings = settings;
        this.limits = limits;
        this.log = log;
        this.controlLoops = new MultiThreadIoEventLoopGroup(
                1, new DefaultThreadFactory("tulle-control", false), transport.ioHandlers());
        this.control = controlLoops.next();
        this.meters = new Meters(limits.control().maxSeries());
        this.contexts = new TlsContexts(clock, limits.tls());
        this.application = new ApplicationHealth(control, transport, (well, detail) -> {
            applicationWell = well;
            applicationDetail = detail;
            if (well) {
                log.info("the application is well");
            } else {
                log.warn("the application is not well", "detail", detail);
            }
            tellHealth();
        });
    }

    /**
     * Starts a proxy; returns when it is on its way, not when it is ready.
     *
     * @throws StartFailure if it cannot start; nothing is left running
     */
    public static Sidecar start(Settings settings, Limits limits, Log log) throws StartFailure {
        Sidecar sidecar = new Sidecar(settings, limits, log);
        try {
            sidecar.begin();
            return sidecar;
        } catch (UnusableIdentity | IOException | FileConfig.UnusableConfig | IllegalStateException e) {
            if (sidecar.plane != null) {
                sidecar.plane.close();
            }
            sidecar.controlLoops.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(STEP_SECONDS * 1000);
            throw new StartFailure(String.valueOf(e.getMessage()), e);
        }
    }

    private void begin() throws UnusableIdentity, IOException, FileConfig.UnusableConfig {
        TlsContexts.requireBoringSsl();
        log.info(
                "starting",
                "version",
                ProxyVersion.text(),
                "tls",
                OpenSsl.versionString(),
                "transport",
                transport.name(),
                "java",
                Runtime.version());
        readiness.onChange(() -> control.execute(this::tellReadiness));
        switch (settings.source()) {
            case Settings.Source.Controller controller -> beginWithController(controller);
            case Settings.Source.ConfigFile file -> beginWithFile(file);
        }
    }

    private void beginWithController(Settings.Source.Controller source) throws UnusableIdentity, IOException {
        Enroller enrolling = Enroller.prepare(
                new Enroller.Wiring(control, transport, contexts, meters.control(), log, clock, random),
                source.address(),
                settings.workload(),
                source.tokenFile().map(file -> tokenFile(file, source)),
                settings.identityDir().map(IdentityDirectory::new));
        enroller = enrolling;
        ConfigStore store = store(enrolling.workload());
        DiscoveryClient client = new DiscoveryClient(
                new DiscoveryClient.Wiring(control, transport, contexts, meters, limits.control(), log, clock, random),
                source.address(),
                enrolling,
                store,
                instance(),
                ProxyVersion.text());
        discovery = client;
        serveAdmin(store);
        enrolling.start().addListener((Future<Svid> first) -> {
            if (first.isSuccess()) {
                readiness.there(Part.IDENTITY);
                client.start();
            }
        });
    }

    private TokenFile tokenFile(Path file, Settings.Source.Controller source) {
        return source.trustFile()
                .map(trust ->
                        TokenFile.ofPlatform(file, trust, settings.workload().orElseThrow(), clock))
                .orElseGet(() -> new TokenFile(file, clock));
    }

    private void beginWithFile(Settings.Source.ConfigFile source) throws IOException, FileConfig.UnusableConfig {
        ConfigStore store = store(settings.workload().orElse(new WorkloadId("default", "proxy")));
        FileConfig config = new FileConfig(
                control,
                source.file(),
                settings.identityDir(),
                settings.workload(),
                store,
                contexts,
                meters,
                limits.control(),
                log,
                clock);
        Future<?> first = config.start().awaitUninterruptibly();
        if (first.cause() instanceof FileConfig.UnusableConfig unusable) {
            throw unusable;
        }
        if (!first.isSuccess()) {
            throw new IOException("the config file %s cannot be used".formatted(source.file()), first.cause());
        }
        readiness.there(Part.IDENTITY);
        serveAdmin(store);
    }

    /** The config in force, and with it the data plane that follows it. */
    private ConfigStore store(WorkloadId workload) {
        ConfigStore store = new ConfigStore(workload, control, limits.control(), meters, log, System::nanoTime);
        DataPlane data = new DataPlane(
                transport,
                settings.concurrency(),
                tables(store),
                contexts,
                meters,
                limits,
                log,
                settings.redirected().isPresent() ? Reach.addresses() : Set.of());
        InboundServer accepting = new InboundServer(data, settings.redirected());
        OutboundServer dialing = new OutboundServer(data, settings.redirected());
        if (settings.redirected().isPresent()) {
            readiness.missing(Part.REDIRECT, "waiting for the first config");
        }
        plane = data;
        inbound = accepting;
        outbound = dialing;
        store.onChange(table -> {
            if (store.configured()) {
                WorkloadConfig config = table.config().workload();
                readiness.there(Part.POLICY);
                application.check(config.healthCheck());
                listen(store, accepting, dialing, config);
            }
        });
        return store;
    }

    /** Opens what the config asks for; what cannot be opened is tried again until it works or is no longer asked for. */
    private void listen(ConfigStore store, InboundServer accepting, OutboundServer dialing, WorkloadConfig config) {
        accepting
                .listen(config)
                .thenCombine(
                        dialing.listen(config),
                        (in, out) -> Stream.concat(in.stream(), out.stream()).toList())
                .whenCompleteAsync(
                        (problems, failure) -> {
                            if (failure != null) {
                                log.error("listeners could not be opened", "problem", failure);
                            } else if (problems.isEmpty()) {
                                tellListeners(accepting, dialing, config);
                                readiness.there(Part.LISTENERS);
                                prove(dialing);
                            } else {
                                readiness.missing(Part.LISTENERS, String.join("; ", problems));
                                control.schedule(
                                        () -> listenAgain(store, accepting, dialing, config),
                                        LISTEN_AGAIN_SECONDS,
                                        TimeUnit.SECONDS);
                            }
                        },
                        control);
    }

    /** Once the listeners are there: does what is redirected arrive at them? On the control loop. */
    private void prove(OutboundServer dialing) {
        if (settings.redirected().isEmpty() || proof != null) {
            return;
        }
        RedirectProof proving = new RedirectProof(control, transport, Reach.ofThisMachine(), problem -> {
            if (problem.isEmpty()) {
                log.info("the redirect works");
                readiness.there(Part.REDIRECT);
            } else {
                readiness.missing(Part.REDIRECT, problem);
            }
        });
        proof = proving;
        dialing.onProof(proving::seen);
        proving.begin();
    }

    private void listenAgain(
            ConfigStore store, InboundServer accepting, OutboundServer dialing, WorkloadConfig config) {
        if (store.table().config().workload().equals(config)) {
            listen(store, accepting, dialing, config);
        }
    }

    private void tellListeners(InboundServer accepting, OutboundServer dialing, WorkloadConfig config) {
        Set<String> now = new HashSet<>();
        for (InboundPort port : config.inbound()) {
            port.listen().ifPresent(address -> {
                if (now.add("inbound " + address) && !listening.contains("inbound " + address)) {
                    log.info("listening", "for", "inbound", "port", port.port(), "address", accepting.boundTo(address));
                }
            });
        }
        for (OutboundListener listener : config.outbound()) {
            String key = "outbound " + listener.listen();
            if (now.add(key) && !listening.contains(key)) {
                log.info(
                        "listening",
                        "for",
                        "outbound",
                        "destination",
                        listener.destination(),
                        "address",
                        dialing.boundTo(listener.listen()));
            }
        }
        listening.clear();
        listening.addAll(now);
    }

    private static Tables tables(ConfigStore store) {
        return new Tables() {
            @Override
            public RoutingTable table() {
                return store.table();
            }

            @Override
            public void destination(
                    DestinationKey key, EventExecutor loop, Consumer<Optional<DestinationTable>> answer) {
                store.destination(key, loop, answer);
            }

            @Override
            public void used(DestinationKey key) {
                store.used(key);
            }

            @Override
            public void onChange(Consumer<RoutingTable> listener) {
                store.onChange(listener);
            }
        };
    }

    private void serveAdmin(ConfigStore store) throws IOException {
        AdminServer.Content content = new AdminServer.Content(
                readiness,
                () -> PrometheusText.of(meters, ProxyVersion.text(), settings.dialects()),
                () -> config(store),
                () -> meters.serverNames().json(),
                appHealth(),
                adminToken(),
                () -> new Thread(() -> System.exit(0), "tulle-shutdown").start());
        if (settings.admin().isPresent()) {
            HostPort asked = settings.admin().get();
            HostPort address = asked.host().equals("::") ? new HostPort(transport.anyAddress(), asked.port()) : asked;
            serve(new AdminServer(control, transport, address, false, content), "admin");
        }
        if (settings.adminLocal().isPresent()) {
            serve(new AdminServer(control, transport, settings.adminLocal().get(), true, content), "admin-local");
        }
    }

    private AppHealth appHealth() throws IOException {
        try {
            return settings.appHealth().isEmpty() ? AppHealth.NONE : AppHealth.parse(settings.appHealth());
        } catch (IllegalArgumentException e) {
            throw new IOException("--app-health (TULLE_APP_HEALTH) cannot be read: " + e.getMessage(), e);
        }
    }

    /** The config in force, and what resilience makes of it just now as its field {@code live}. */
    private String config(ConfigStore store) {
        String config = ProxyCodec.encode(store.table().config());
        OutboundServer dialing = outbound;
        InboundServer accepting = inbound;
        return dialing == null || accepting == null
                ? config
                : config.substring(0, config.lastIndexOf('}')).stripTrailing()
                        + ",\"live\":"
                        + LiveState.of(dialing.guards(), accepting.rates())
                        + "}";
    }

    private void serve(AdminServer server, String name) throws IOException {
        Future<HostPort> bound = server.start();
        if (!bound.awaitUninterruptibly(STEP_SECONDS, TimeUnit.SECONDS)) {
            throw new IOException("binding %s took longer than %d s".formatted(server, STEP_SECONDS));
        }
        if (!bound.isSuccess()) {
            throw new IOException(String.valueOf(bound.cause().getMessage()), bound.cause());
        }
        log.info("listening", "for", name, "address", bound.getNow());
    }

    private Optional<String> adminToken() throws IOException {
        if (settings.adminTokenFile().isEmpty()) {
            return Optional.empty();
        }
        Path file = settings.adminTokenFile().get();
        String token;
        try {
            token = Files.readString(file).strip();
        } catch (IOException e) {
            throw new IOException("--admin-token-file %s cannot be read: %s".formatted(file, e), e);
        }
        if (token.length() < MIN_TOKEN_CHARS) {
            throw new IOException("--admin-token-file %s holds %d characters, fewer than %d"
                    .formatted(file, token.length(), MIN_TOKEN_CHARS));
        }
        return Optional.of(token);
    }

    private void tellReadiness() {
        boolean ready = readiness.isReady();
        meters.control().ready(ready);
        if (ready) {
            log.info("ready");
        } else {
            log.info("not ready", "missing", String.join("; ", readiness.whatIsMissing()));
        }
        tellHealth();
    }

    /** On the control loop. */
    private void tellHealth() {
        DiscoveryClient client = discovery;
        if (client != null) {
            boolean ready = readiness.isReady();
            client.health(
                    ready && applicationWell, ready ? applicationDetail : String.join("; ", readiness.whatIsMissing()));
        }
    }

    /** Ends the proxy in order; blocks until it is done, at most drain delay, drain timeout and some seconds. */
    public void drain() {
        readiness.missing(Part.STAYING, "draining");
        log.info("draining", "delay", settings.drainDelay(), "timeout", settings.drainTimeout());
        pause(settings.drainDelay().toMillis());
        if (inbound != null) {
            drainInbound(inbound);
        }
        if (discovery != null) {
            discovery.close().awaitUninterruptibly(STEP_SECONDS, TimeUnit.SECONDS);
        }
        if (enroller != null) {
            enroller.close();
        }
        // The application may still be calling others; that ends only here.
        if (outbound != null) {
            outbound.close();
        }
        if (plane != null) {
            plane.close();
        }
        log.info("ended");
        controlLoops.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(STEP_SECONDS, TimeUnit.SECONDS);
    }

    private void drainInbound(InboundServer accepting) {
        try {
            accepting
                    .drain(settings.drainTimeout())
                    .toCompletableFuture()
                    .get(settings.drainTimeout().toSeconds() + STEP_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException e) {
            log.warn("the drain did not end", "problem", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private String instance() {
        byte[] bytes = new byte[8];
        random.nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }
}
