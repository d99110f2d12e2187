package dev.tulle.proxy.discovery;

import dev.tulle.proxy.bootstrap.Limits;
import dev.tulle.proxy.bootstrap.Log;
import dev.tulle.proxy.identity.IdentityDirectory;
import dev.tulle.proxy.identity.Svid;
import dev.tulle.proxy.identity.TlsContexts;
import dev.tulle.proxy.model.DestinationKey;
import dev.tulle.proxy.model.MalformedMessage;
import dev.tulle.proxy.model.ProxyCodec;
import dev.tulle.proxy.model.ProxyConfig;
import dev.tulle.proxy.model.WorkloadId;
import dev.tulle.proxy.telemetry.Meters;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * The config from a file instead of a controller, with key and chain from the identity directory; read again when any of them changes.
 *
 * <p>A file that cannot be used leaves what was read last in force. Without an identity directory the proxy has no identity: plain
 * text only, for tests. Everything but construction happens on the control loop, which it may block for the reading of one file.
 */
public final class FileConfig {
    private static final long LOOK_MILLIS = 500;

    private final EventLoop loop;
    private final Path file;
    private final Optional<Path> identityPath;
    private final Optional<WorkloadId> workload;
    private final ConfigStore store;
    private final TlsContexts contexts;
    private final Meters meters;
    private final Limits.Control limits;
    private final Log log;
    private final Clock clock;
    private List<Stamp> seen = List.of();
    private Optional<Svid> svid = Optional.empty();

    /** What tells one version of a file from the next without reading it. */
    private record Stamp(long modifiedNanos, long size, String key) {}

    /** The config cannot be used; the message names file and field. */
    public static final class UnusableConfig extends Exception {
        UnusableConfig(String problem) {
            super(problem);
        }
    }

    /** @param workload whose config the file must hold; absent means whoever it names */
    public FileConfig(
            EventLoop loop,
            Path file,
            Optional<Path> identityPath,
            Optional<WorkloadId> workload,
            ConfigStore store,
            TlsContexts contexts,
            Meters meters,
            Limits.Control limits,
            Log log,
            Clock clock) {
        this.loop = loop;
        this.file = file;
        this.identityPath = identityPath;
        this.workload = workload;
        this.store = store;
        this.contexts = contexts;
        this.meters = meters;
        this.limits = limits;
        this.log = log;
        this.clock = clock;
    }

    /** Reads for the first time and then watches; fails with {@link UnusableConfig} when the first reading fails. */
    public Future<?> start() {
        return loop.submit(() -> {
            store.serveBy(new ConfigStore.Watches() {
                @Override
                public boolean watch(DestinationKey key) {
                    return false;
                }

                @Override
                public void unwatch(DestinationKey key) {}
            });
            seen = stamps();
            read();
            loop.scheduleWithFixedDelay(this::look, LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
            return null;
        });
    }

    private void look() {
        List<Stamp> now = stamps();
        if (now.equals(seen)) {
            return;
        }
        seen = now;
        try {
            read();
            log.info("config was read again", "file", file);
        } catch (UnusableConfig e) {
            meters.control().configRejected();
            log.error("a config cannot be used; the last good one stays", "problem", e.getMessage());
        }
    }

    private void read() throws UnusableConfig {
        ProxyConfig config = config();
        if (workload.isPresent() && !config.workload().workload().equals(workload.get())) {
            throw new UnusableConfig("%s: workload.workload is %s, but --workload says %s"
                    .formatted(file, config.workload().workload(), workload.get()));
        }
        Optional<Svid> next = svid();
        if (next.isPresent() && !next.get().identity().equals(config.workload().identity())) {
            throw new UnusableConfig("%s: workload.identity is %s, but the certificate in --identity-dir proves %s"
                    .formatted(file, config.workload().identity(), next.get().identity()));
        }
        try {
            boolean sameTls = next.equals(svid)
                    && config.trust().equals(store.table().config().trust());
            if (next.isPresent() && !sameTls) {
                contexts.install(next.get(), config.trust());
                meters.control().certificate(next.get().notAfter(), next.get().issuer());
            }
            svid = next;
            store.replace(config);
        } catch (IllegalArgumentException e) {
            throw new UnusableConfig("%s: %s".formatted(file, e.getMessage()));
        }
        meters.serves(config.workload().workload(), config.workload().owner());
        meters.control().configApplied(config.version(), clock.instant());
    }

    private ProxyConfig config() throws UnusableConfig {
        try {
            if (Files.size(file) > limits.maxConfigFileBytes()) {
                throw new UnusableConfig("%s is larger than %d bytes".formatted(file, limits.maxConfigFileBytes()));
            }
            return ProxyCodec.decodeConfig(new String(Files.readAllBytes(file), StandardCharsets.UTF_8));
        } catch (NoSuchFileException e) {
            throw new UnusableConfig("the config file %s does not exist: correct --config".formatted(file));
        } catch (IOException e) {
            throw new UnusableConfig("the config file %s cannot be read: %s".formatted(file, e));
        } catch (MalformedMessage e) {
            throw new UnusableConfig("%s: %s".formatted(file, e.getMessage()));
        }
    }

    private Optional<Svid> svid() throws UnusableConfig {
        if (identityPath.isEmpty()) {
            return Optional.empty();
        }
        return switch (new IdentityDirectory(identityPath.get()).load()) {
            case IdentityDirectory.Found.Kept kept -> Optional.of(kept.svid());
            case IdentityDirectory.Found.Nothing() ->
                throw new UnusableConfig(
                        "--identity-dir %s holds no key.pem and chain.pem".formatted(identityPath.get()));
            case IdentityDirectory.Found.Damaged(String problem) -> throw new UnusableConfig(problem);
        };
    }

    private List<Stamp> stamps() {
        List<Stamp> stamps = new ArrayList<>();
        stamps.add(stamp(file));
        identityPath.ifPresent(directory -> {
            stamps.add(stamp(directory.resolve("key.pem")));
            stamps.add(stamp(directory.resolve("chain.pem")));
        });
        return stamps;
    }

    private static Stamp stamp(Path path) {
        try {
            BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
            return new Stamp(
                    attributes.lastModifiedTime().to(TimeUnit.NANOSECONDS),
                    attributes.size(),
                    String.valueOf(attributes.fileKey()));
        } catch (IOException e) {
            return new Stamp(0, 0, "");
        }
    }
}
