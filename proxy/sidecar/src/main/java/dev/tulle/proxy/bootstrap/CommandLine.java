package dev.tulle.proxy.bootstrap;

import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.WorkloadId;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads the command line and the environment into {@link Settings}; a flag wins over its variable. Pure. */
public final class CommandLine {
    private static final Pattern DURATION = Pattern.compile("(\\d{1,9})(ms|s|m)");
    private static final int MAX_CONCURRENCY = 64;

    /** A pod without a limit of its own sees every processor of the node, which it shares with a hundred others. */
    private static final int MOST_IN_A_POD = 2;

    private static final String REHEARSE = "--rehearse";

    private CommandLine() {}

    /** What a command line asks for. */
    public sealed interface Wish {
        /** Run with these settings. */
        record Run(Settings settings) implements Wish {}

        /** Print the help. */
        record Help() implements Wish {}

        /** Print the version. */
        record Version() implements Wish {}

        /** Put load through a small mesh inside this process for so long, then end: to train the JVM's caches. */
        record Rehearse(Duration length) implements Wish {}

        /** It cannot be understood; {@code problem} names flag and cure. */
        record Wrong(String problem) implements Wish {}
    }

    private enum Flag {
        WORKLOAD("NAMESPACE/NAME", "whom to enroll as (default: the one the token names)"),
        CONTROLLER("HOST:PORT", "the controller's port for enrolment and discovery"),
        TOKEN_FILE("FILE", "join token for the controller, made by 'tulle token'"),
        TRUST_FILE(
                "FILE", "trust bundle; then --token-file holds a token of the platform (Kubernetes), for --workload"),
        CONFIG("FILE", "take the config from this JSON file instead of a controller; read again when it changes"),
        REDIRECTED("", "nat rules turn all traffic here ('tulle-proxy redirect'); listens on all addresses"),
        INBOUND_PORT("PORT", "with --redirected: for what comes for the application (default 15806)"),
        OUTBOUND_PORT("PORT", "with --redirected: for what the application sends (default 15801)"),
        IDENTITY_DIR("DIR", "keep key.pem and chain.pem here over restarts; with --config: read them from here"),
        ADMIN("ADDRESS:PORT", "/livez /readyz /metrics, read only (default 127.0.0.1:15890; ':15890' for all; 'off')"),
        ADMIN_LOCAL(
                "ADDRESS:PORT", "the same, /config and POST /shutdown, loopback only (default 127.0.0.1:15891; 'off')"),
        ADMIN_TOKEN_FILE("FILE", "token that POST /shutdown asks for (default: /shutdown is refused)"),
        APP_HEALTH("JSON", "probes that the admin port asks for the kubelet at /app-health/, written by the injector"),
        METRICS("NAMES", "serve the application's numbers under the names of these too, with commas: linkerd, osm"),
        LOG_LEVEL("LEVEL", "debug, info, warn or error (default info)"),
        CONCURRENCY(
                "N", "event loops of the data plane (default: one for each processor; with --redirected at most 2)"),
        DRAIN_DELAY("TIME", "from SIGTERM to the start of the drain, for callers to notice (default 1s)"),
        DRAIN_TIMEOUT("TIME", "for what is in flight after SIGTERM (default 30s)");

        private final String value;
        private final String help;

        Flag(String value, String help) {
            this.value = value;
            this.help = help;
        }

        private boolean isSwitch() {
            return value.isEmpty();
        }

        private String flag() {
            return "--" + name().toLowerCase(Locale.ROOT).replace('_', '-');
        }

        private String variable() {
            return "TULLE_" + name();
        }

        private static Optional<Flag> named(String flag) {
            return Arrays.stream(values()).filter(f -> f.flag().equals(flag)).findFirst();
        }
    }

    /** What was given for one flag, and how. */
    private record Given(String value, String how) {}

    /** A problem found on the way; never leaves this class. */
    private static final class Unusable extends Exception {
        Unusable(String problem) {
            super(problem);
        }

        String problem() {
            return String.valueOf(getMessage());
        }
    }

    /**
     * Understands a command line.
     *
     * @param environment variables named {@code TULLE_} and the flag in upper case with underscores
     * @param processors the default concurrency
     */
    public static Wish read(List<String> args, Map<String, String> environment, int processors) {
        if (args.contains("--help") || args.contains("-h")) {
            return new Wish.Help();
        }
        if (args.contains("--version")) {
            return new Wish.Version();
        }
        try {
            if (args.size() == 2 && args.getFirst().equals(REHEARSE)) {
                return new Wish.Rehearse(read(new Given(args.getLast(), REHEARSE), "TIME", CommandLine::duration));
            }
            return new Wish.Run(settings(given(args, environment), processors));
        } catch (Unusable e) {
            return new Wish.Wrong(e.problem());
        }
    }

    /** The text of {@code --help}. */
    public static String help() {
        StringBuilder text = new StringBuilder("""
                Usage: java -jar tulle-sidecar-all.jar --controller HOST:PORT --token-file FILE [options]
                       java -jar tulle-sidecar-all.jar --config FILE [options]

                The sidecar proxy of the Tulle service mesh.

                """);
        for (Flag flag : Flag.values()) {
            text.append("  %-32s %s%n".formatted((flag.flag() + " " + flag.value).strip(), flag.help));
        }
        text.append("  %-32s %s%n".formatted("--help, --version", "print this, or the version, and end"));
        text.append("  %-32s %s%n"
                .formatted(
                        REHEARSE + " TIME",
                        "alone: load through a mesh inside this process, to train caches (aot.sh)"));
        return text.append("""

                Each flag can also be set by an environment variable: --token-file by TULLE_TOKEN_FILE, and so on.
                TIME is a number with a unit: 500ms, 30s, 2m. Port 0 picks a free one.
                Exit codes: 0 ended as asked, 1 could not start, 2 wrong usage.
                """).toString();
    }

    private static Map<Flag, Given> given(List<String> args, Map<String, String> environment) throws Unusable {
        Map<Flag, Given> given = new EnumMap<>(Flag.class);
        for (Flag flag : Flag.values()) {
            String value = environment.get(flag.variable());
            if (value != null && !value.isEmpty()) {
                given.put(flag, new Given(value, flag.variable()));
            }
        }
        for (int i = 0; i < args.size(); i++) {
            String arg = args.get(i);
            int equals = arg.indexOf('=');
            String name = equals < 0 ? arg : arg.substring(0, equals);
            Flag flag = Flag.named(name)
                    .orElseThrow(() -> new Unusable("'%s' is not a flag of the proxy; see --help".formatted(name)));
            if (equals < 0 && !flag.isSwitch() && i + 1 == args.size()) {
                throw new Unusable("%s needs a value: %s %s".formatted(name, name, flag.value));
            }
            String value = equals >= 0 ? arg.substring(equals + 1) : flag.isSwitch() ? "true" : args.get(++i);
            Given before = given.put(flag, new Given(value, name));
            if (before != null && before.how().equals(name)) {
                throw new Unusable("%s is given twice".formatted(name));
            }
        }
        return given;
    }

    private static Settings settings(Map<Flag, Given> given, int processors) throws Unusable {
        Optional<Path> identityDir = value(given, Flag.IDENTITY_DIR, Path::of);
        Optional<HostPort> adminLocal =
                address(given, Flag.ADMIN_LOCAL, Optional.of(new HostPort("127.0.0.1", 15891)), HostPort::parse);
        if (adminLocal.isPresent() && !isLoopback(adminLocal.get().host())) {
            throw new Unusable("--admin-local is %s, which is not a loopback address: use 127.0.0.1 or [::1]"
                    .formatted(adminLocal.get()));
        }
        Optional<Settings.Redirected> redirected = redirected(given);
        int concurrency = value(given, Flag.CONCURRENCY, Integer::valueOf)
                .orElse(redirected.isPresent() ? Math.min(processors, MOST_IN_A_POD) : processors);
        if (concurrency < 1 || concurrency > MAX_CONCURRENCY) {
            throw new Unusable("--concurrency is %d, not 1 to %d".formatted(concurrency, MAX_CONCURRENCY));
        }
        return new Settings(
                value(given, Flag.WORKLOAD, WorkloadId::parse),
                source(given, identityDir),
                redirected,
                identityDir,
                admin(given),
                adminLocal,
                value(given, Flag.ADMIN_TOKEN_FILE, Path::of),
                value(given, Flag.APP_HEALTH, Function.identity()).orElse(""),
                value(given, Flag.METRICS, CommandLine::dialects).orElse(Set.of()),
                value(given, Flag.LOG_LEVEL, CommandLine::level).orElse(Log.Level.INFO),
                concurrency,
                value(given, Flag.DRAIN_DELAY, CommandLine::duration).orElse(Duration.ofSeconds(1)),
                value(given, Flag.DRAIN_TIMEOUT, CommandLine::duration)
                        .orElse(Limits.defaults().connections().drainTimeout()));
    }

    private static Settings.Source source(Map<Flag, Given> given, Optional<Path> identityDir) throws Unusable {
        Optional<HostPort> controller = value(given, Flag.CONTROLLER, HostPort::parse);
        Optional<Path> config = value(given, Flag.CONFIG, Path::of);
        Optional<Path> token = value(given, Flag.TOKEN_FILE, Path::of);
        Optional<Path> trust = value(given, Flag.TRUST_FILE, Path::of);
        if (controller.isPresent() == config.isPresent()) {
            throw new Unusable(
                    controller.isPresent()
                            ? "--controller and --config exclude each other: give one"
                            : "where does the config come from? give --controller HOST:PORT with --token-file FILE, or --config FILE");
        }
        if (config.isPresent()) {
            if (token.isPresent() || trust.isPresent()) {
                throw new Unusable("%s belongs to --controller, not to --config"
                        .formatted(token.isPresent() ? "--token-file" : "--trust-file"));
            }
            return new Settings.Source.ConfigFile(config.get());
        }
        if (token.isEmpty() && identityDir.isEmpty()) {
            throw new Unusable(
                    "--controller needs --token-file FILE (make a token with 'tulle token'), or --identity-dir"
                            + " DIR with a certificate from an earlier run");
        }
        if (trust.isPresent() && (token.isEmpty() || !given.containsKey(Flag.WORKLOAD))) {
            throw new Unusable(
                    "--trust-file needs --token-file FILE and --workload NAMESPACE/NAME, for a token of the platform does not say whose it is");
        }
        return new Settings.Source.Controller(controller.orElseThrow(), token, trust);
    }

    private static Optional<Settings.Redirected> redirected(Map<Flag, Given> given) throws Unusable {
        if (!value(given, Flag.REDIRECTED, CommandLine::truth).orElse(false)) {
            for (Flag port : List.of(Flag.INBOUND_PORT, Flag.OUTBOUND_PORT)) {
                if (given.containsKey(port)) {
                    throw new Unusable("%s belongs to --redirected".formatted(port.flag()));
                }
            }
            return Optional.empty();
        }
        Settings.Redirected otherwise = Settings.Redirected.DEFAULT;
        return Optional.of(new Settings.Redirected(
                value(given, Flag.INBOUND_PORT, CommandLine::port).orElse(otherwise.inboundPort()),
                value(given, Flag.OUTBOUND_PORT, CommandLine::port).orElse(otherwise.outboundPort())));
    }

    /**
     * An IPv6 address may come without brackets, as a pod's address does from the downward API: the port is always there, so that
     * nothing is ambiguous. Without an address it is every one of both families.
     */
    private static Optional<HostPort> admin(Map<Flag, Given> given) throws Unusable {
        return address(given, Flag.ADMIN, Optional.of(new HostPort("127.0.0.1", 15890)), text -> {
            int colon = text.lastIndexOf(':');
            if (colon == 0) {
                return HostPort.parse("[::]" + text);
            }
            boolean bare = colon > 0 && text.indexOf(':') < colon && !text.startsWith("[");
            return HostPort.parse(bare ? "[" + text.substring(0, colon) + "]" + text.substring(colon) : text);
        });
    }

    private static Optional<HostPort> address(
            Map<Flag, Given> given, Flag flag, Optional<HostPort> otherwise, Function<String, HostPort> reader)
            throws Unusable {
        Given one = given.get(flag);
        if (one == null) {
            return otherwise;
        }
        return one.value().equals("off") ? Optional.empty() : value(given, flag, reader);
    }

    private static boolean truth(String text) {
        return switch (text) {
            case "true" -> true;
            case "false" -> false;
            default -> throw new IllegalArgumentException("'%s' is neither true nor false".formatted(text));
        };
    }

    private static int port(String text) {
        int port = Integer.parseInt(text);
        if (port < 0 || port > 65535) {
            throw new IllegalArgumentException("%d is no port".formatted(port));
        }
        return port;
    }

    private static <T> Optional<T> value(Map<Flag, Given> given, Flag flag, Function<String, T> reader)
            throws Unusable {
        Given one = given.get(flag);
        return one == null ? Optional.empty() : Optional.of(read(one, flag.value, reader));
    }

    private static <T> T read(Given one, String expected, Function<String, T> reader) throws Unusable {
        try {
            return reader.apply(one.value());
        } catch (NumberFormatException e) {
            throw new Unusable("%s: not a whole number: '%s'".formatted(one.how(), one.value()));
        } catch (InvalidPathException e) {
            throw new Unusable("%s: not a file name: '%s'".formatted(one.how(), one.value()));
        } catch (IllegalArgumentException e) {
            throw new Unusable("%s: %s; expected %s".formatted(one.how(), e.getMessage(), expected));
        }
    }

    private static Set<Settings.Dialect> dialects(String text) {
        Set<Settings.Dialect> dialects = EnumSet.noneOf(Settings.Dialect.class);
        for (String word : text.split(",", -1)) {
            dialects.add(
                    switch (word.strip()) {
                        case "linkerd" -> Settings.Dialect.LINKERD;
                        case "osm" -> Settings.Dialect.OSM;
                        default ->
                            throw new IllegalArgumentException("'%s' is neither linkerd nor osm".formatted(word));
                    });
        }
        return dialects;
    }

    private static Log.Level level(String word) {
        return Log.Level.ofWord(word)
                .orElseThrow(() ->
                        new IllegalArgumentException("'%s' is not one of debug, info, warn, error".formatted(word)));
    }

    private static Duration duration(String text) {
        Matcher matcher = DURATION.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("not a time like 500ms, 30s or 2m: '%s'".formatted(text));
        }
        long number = Long.parseLong(matcher.group(1));
        return switch (matcher.group(2)) {
            case "ms" -> Duration.ofMillis(number);
            case "s" -> Duration.ofSeconds(number);
            default -> Duration.ofMinutes(number);
        };
    }

    /** Only literals and {@code localhost} count: a name could lead anywhere later. */
    private static boolean isLoopback(String host) {
        if (host.equals("localhost")) {
            return true;
        }
        if (!host.contains(":") && !host.matches("[0-9.]+")) {
            return false;
        }
        try {
            return InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException e) {
            return false;
        }
    }
}
