package dev.tulle.controller;

import static java.util.Objects.requireNonNull;

import dev.tulle.controller.identity.AuthorityState;
import dev.tulle.controller.identity.CertificateAuthority;
import dev.tulle.controller.identity.JoinTokens;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.WorkloadId;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the program was started to do. Pure. */
sealed interface CommandLine {
    String KUBERNETES = "--kubernetes";
    HostPort DEFAULT_LISTEN = new HostPort("127.0.0.1", 15800);
    HostPort DEFAULT_HTTP = new HostPort("127.0.0.1", 15880);
    HostPort DEFAULT_ADMIN = new HostPort("0.0.0.0", 15890);
    HostPort DEFAULT_WEBHOOK = new HostPort("0.0.0.0", 10250);

    String USAGE = """
            Usage: java -jar quarkus-run.jar --dir DIR --state-dir DIR [options]
                   java -jar quarkus-run.jar --kubernetes [options]
                   java -jar quarkus-run.jar token WORKLOAD --state-dir DIR [--ttl 1h]

            Runs the Tulle controller, or prints a join token for one workload (namespace/name).

              --dir DIR            YAML of Services, Workloads, SMI objects and settings; watched
              --state-dir DIR      certificates, keys and rotation state; made when it is not there
              --kubernetes         instead of both: objects and Secrets of the cluster this runs in
              --listen HOST:PORT   enrolment and discovery for proxies        (127.0.0.1:15800)
              --http HOST:PORT     map page, API, health and metrics          (127.0.0.1:15880)
              --admin HOST:PORT    with --kubernetes: liveness, readiness, metrics (0.0.0.0:15890)
              --webhook HOST:PORT  with --kubernetes: admission and conversion    (0.0.0.0:10250)
              --trust-domain NAME  of a new root                              (cluster.local)
              --leaf-ttl TIME      life of a proxy's certificate, 1m to 30d   (24h)
              --ttl TIME           life of a join token, 1s to 31d            (1h)
              --help               this text
            TIME is a number with s, m, h or d.
            """;

    /**
     * Run the controller.
     *
     * @param objects where they come from
     * @param listen for proxies
     * @param http for people
     * @param trustDomain absent: what the state says
     * @param leafLife of a proxy's certificate
     */
    record Run(Objects objects, HostPort listen, HostPort http, Optional<String> trustDomain, Duration leafLife)
            implements CommandLine {
        public Run {
            requireNonNull(objects, "objects");
            requireNonNull(listen, "listen");
            requireNonNull(http, "http");
            requireNonNull(trustDomain, "trustDomain");
            requireNonNull(leafLife, "leafLife");
        }
    }

    /** Where objects, certificates and keys are. */
    sealed interface Objects {
        /**
         * In directories.
         *
         * @param dir watched
         * @param stateDir certificates and keys
         */
        record InDirectory(Path dir, Path stateDir) implements Objects {
            public InDirectory {
                requireNonNull(dir, "dir");
                requireNonNull(stateDir, "stateDir");
            }
        }

        /**
         * In a Kubernetes cluster.
         *
         * @param admin for the kubelet and Prometheus
         * @param webhook for the API server
         */
        record InKubernetes(HostPort admin, HostPort webhook) implements Objects {
            public InKubernetes {
                requireNonNull(admin, "admin");
                requireNonNull(webhook, "webhook");
            }
        }
    }

    /** Print a join token. */
    record Token(WorkloadId workload, Path stateDir, Optional<String> trustDomain, Duration life)
            implements CommandLine {
        public Token {
            requireNonNull(workload, "workload");
            requireNonNull(stateDir, "stateDir");
            requireNonNull(trustDomain, "trustDomain");
            requireNonNull(life, "life");
        }
    }

    /** Print the usage. */
    record Help() implements CommandLine {}

    /** Cannot be understood; {@code error} is one sentence. */
    record Wrong(String error) implements CommandLine {
        public Wrong {
            requireNonNull(error, "error");
        }
    }

    static CommandLine parse(String... arguments) {
        List<String> words = new ArrayList<>();
        Map<String, String> options = new HashMap<>();
        for (int i = 0; i < arguments.length; i++) {
            String argument = arguments[i];
            if (argument.equals("--help") || argument.equals("-h")) {
                return new Help();
            }
            if (!argument.startsWith("--")) {
                words.add(argument);
                continue;
            }
            if (argument.equals(KUBERNETES)) {
                if (options.put(KUBERNETES, "") != null) {
                    return new Wrong(KUBERNETES + " is given twice");
                }
                continue;
            }
            int equals = argument.indexOf('=');
            String name = equals < 0 ? argument : argument.substring(0, equals);
            if (equals < 0 && i + 1 == arguments.length) {
                return new Wrong(name + " needs a value");
            }
            String value = equals < 0 ? arguments[++i] : argument.substring(equals + 1);
            if (value.isEmpty()) {
                return new Wrong(name + " needs a value");
            }
            if (options.put(name, value) != null) {
                return new Wrong(name + " is given twice");
            }
        }
        try {
            return words.isEmpty() ? run(options) : command(words, options);
        } catch (IllegalArgumentException e) {
            return new Wrong(String.valueOf(e.getMessage()));
        }
    }

    private static CommandLine run(Map<String, String> options) {
        List<String> known = new ArrayList<>(List.of("--listen", "--http", "--trust-domain", "--leaf-ttl"));
        Objects objects;
        if (options.containsKey(KUBERNETES)) {
            known.addAll(List.of(KUBERNETES, "--admin", "--webhook"));
            requireKnown(options, known, " with " + KUBERNETES);
            objects = new Objects.InKubernetes(
                    address(options, "--admin", DEFAULT_ADMIN), address(options, "--webhook", DEFAULT_WEBHOOK));
        } else {
            known.addAll(List.of("--dir", "--state-dir"));
            requireKnown(options, known, "");
            objects = new Objects.InDirectory(path(options, "--dir"), path(options, "--state-dir"));
        }
        return new Run(
                objects,
                address(options, "--listen", DEFAULT_LISTEN),
                address(options, "--http", DEFAULT_HTTP),
                trustDomain(options),
                duration(
                        options,
                        "--leaf-ttl",
                        CertificateAuthority.DEFAULT_LEAF_LIFE,
                        Duration.ofMinutes(1),
                        Duration.ofDays(30)));
    }

    private static CommandLine command(List<String> words, Map<String, String> options) {
        if (!words.getFirst().equals("token")) {
            throw new IllegalArgumentException(
                    "unknown command '%s'; there is only 'token'".formatted(words.getFirst()));
        }
        requireKnown(options, List.of("--state-dir", "--ttl", "--trust-domain"), " of 'token'");
        if (words.size() != 2) {
            throw new IllegalArgumentException(
                    words.size() < 2
                            ? "token needs a workload, for example shop/web-1"
                            : "unexpected '%s'".formatted(words.get(2)));
        }
        return new Token(
                WorkloadId.parse(words.get(1)),
                path(options, "--state-dir"),
                trustDomain(options),
                duration(options, "--ttl", JoinTokens.DEFAULT_LIFE, Duration.ofSeconds(1), JoinTokens.MAX_LIFE));
    }

    private static void requireKnown(Map<String, String> options, List<String> known, String where) {
        for (String name : options.keySet()) {
            if (!known.contains(name)) {
                throw new IllegalArgumentException(
                        "unknown option %s%s; known are %s".formatted(name, where, String.join(", ", known)));
            }
        }
    }

    private static Path path(Map<String, String> options, String name) {
        String value = options.get(name);
        if (value == null) {
            throw new IllegalArgumentException(name + " is missing");
        }
        return Path.of(value);
    }

    private static Optional<String> trustDomain(Map<String, String> options) {
        return Optional.ofNullable(options.get("--trust-domain")).map(AuthorityState::requireTrustDomain);
    }

    private static HostPort address(Map<String, String> options, String name, HostPort otherwise) {
        String value = options.get(name);
        try {
            return value == null ? otherwise : HostPort.parse(value);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("%s: %s".formatted(name, e.getMessage()), e);
        }
    }

    private static Duration duration(
            Map<String, String> options, String name, Duration otherwise, Duration least, Duration most) {
        String value = options.get(name);
        if (value == null) {
            return otherwise;
        }
        Matcher matcher = Pattern.compile("([0-9]{1,9})([smhd])").matcher(value);
        if (!matcher.matches()) {
            throw new IllegalArgumentException(
                    "%s: not a time: '%s' (a number with s, m, h or d)".formatted(name, value));
        }
        long amount = Long.parseLong(matcher.group(1));
        Duration duration = switch (matcher.group(2)) {
            case "s" -> Duration.ofSeconds(amount);
            case "m" -> Duration.ofMinutes(amount);
            case "h" -> Duration.ofHours(amount);
            default -> Duration.ofDays(amount);
        };
        if (duration.compareTo(least) < 0 || duration.compareTo(most) > 0) {
            throw new IllegalArgumentException(
                    "%s: %s is not between %s and %s".formatted(name, value, text(least), text(most)));
        }
        return duration;
    }

    private static String text(Duration duration) {
        long seconds = duration.toSeconds();
        if (seconds % 86_400 == 0) {
            return seconds / 86_400 + "d";
        }
        return seconds % 60 == 0 ? seconds / 60 + "m" : seconds + "s";
    }
}
