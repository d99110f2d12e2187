package dev.tulle.proxy.redirect;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * What the redirect step is asked for.
 *
 * @param inboundPort of the proxy, for what comes for the application
 * @param outboundPort of the proxy, for what the application sends
 * @param proxyGid group of the proxy's process, whose own connections are left alone
 * @param skipInboundPorts to which connections reach the application as if there were no proxy
 * @param skipInboundCidrs from which they do
 * @param skipOutboundPorts to which the application's connections go as if there were no proxy
 * @param skipOutboundCidrs to which they do
 * @param flavour which tools are used; absent means those that work
 * @param dryRun whether the rules are only printed
 */
record RedirectOptions(
        int inboundPort,
        int outboundPort,
        long proxyGid,
        List<PortRange> skipInboundPorts,
        List<Cidr> skipInboundCidrs,
        List<PortRange> skipOutboundPorts,
        List<Cidr> skipOutboundCidrs,
        Optional<Flavour> flavour,
        boolean dryRun) {
    private static final int DEFAULT_INBOUND = 15806;
    private static final int DEFAULT_OUTBOUND = 15801;
    private static final long MAX_GID = 4_294_967_294L;
    private static final int MAX_ITEMS = 500;

    static final String HELP = """
            Usage: tulle-proxy redirect --proxy-gid=GID [options]

            Writes nat rules that turn this network namespace's TCP connections to the proxy. Running it again changes nothing.

              --proxy-gid=GID                 group of the proxy's process; its own connections are left alone
              --inbound-port=PORT             of the proxy, for what comes for the application (default 15806)
              --outbound-port=PORT            of the proxy, for what the application sends (default 15801)
              --skip-inbound-ports=LIST       ports that reach the application directly: 9090,8000-8010
              --skip-inbound-cidrs=LIST       callers that reach the application directly: 10.0.0.0/8,fd00::/8
              --skip-outbound-ports=LIST      ports the application reaches directly
              --skip-outbound-cidrs=LIST      addresses the application reaches directly
              --backend=nft|legacy            tools to use (default: those that work)
              --dry-run                       print the rules, change nothing
              --help                          print this

            Never redirected: UDP and DNS, what stays on loopback, what the proxy itself sends.
            Needs root with the capabilities NET_ADMIN and NET_RAW. Exit codes: 0 done, 1 not possible, 2 wrong usage.
            """;

    RedirectOptions {
        skipInboundPorts = List.copyOf(skipInboundPorts);
        skipInboundCidrs = List.copyOf(skipInboundCidrs);
        skipOutboundPorts = List.copyOf(skipOutboundPorts);
        skipOutboundCidrs = List.copyOf(skipOutboundCidrs);
    }

    /** Reads a command line; throws IllegalArgumentException whose text names flag and cure. */
    static RedirectOptions read(List<String> args) {
        Map<String, String> given = given(args);
        RedirectOptions options = new RedirectOptions(
                port(given, "--inbound-port", DEFAULT_INBOUND),
                port(given, "--outbound-port", DEFAULT_OUTBOUND),
                gid(given),
                list(given, "--skip-inbound-ports", PortRange::parse),
                list(given, "--skip-inbound-cidrs", Cidr::parse),
                list(given, "--skip-outbound-ports", PortRange::parse),
                list(given, "--skip-outbound-cidrs", Cidr::parse),
                Optional.ofNullable(given.remove("--backend")).map(RedirectOptions::flavour),
                given.remove("--dry-run") != null);
        if (options.inboundPort() == options.outboundPort()) {
            throw new IllegalArgumentException(
                    "--inbound-port and --outbound-port are both %d: give two different ports"
                            .formatted(options.inboundPort()));
        }
        given.keySet().stream().findFirst().ifPresent(flag -> {
            throw new IllegalArgumentException("'%s' is not a flag of redirect; see redirect --help".formatted(flag));
        });
        return options;
    }

    private static Map<String, String> given(List<String> args) {
        Map<String, String> given = new HashMap<>();
        for (int i = 0; i < args.size(); i++) {
            String arg = args.get(i);
            int equals = arg.indexOf('=');
            String flag = equals < 0 ? arg : arg.substring(0, equals);
            String value;
            if (equals >= 0) {
                value = arg.substring(equals + 1);
            } else if (flag.equals("--dry-run")) {
                value = "";
            } else if (i + 1 < args.size()) {
                value = args.get(++i);
            } else {
                throw new IllegalArgumentException(
                        "%s needs a value, or is not a flag; see redirect --help".formatted(flag));
            }
            if (given.put(flag, value) != null) {
                throw new IllegalArgumentException("%s is given twice".formatted(flag));
            }
        }
        return given;
    }

    private static int port(Map<String, String> given, String flag, int otherwise) {
        String text = given.remove(flag);
        if (text == null) {
            return otherwise;
        }
        PortRange range = value(flag, text, PortRange::parse);
        if (range.first() != range.last()) {
            throw new IllegalArgumentException("%s is one port, not '%s'".formatted(flag, text));
        }
        return range.first();
    }

    private static long gid(Map<String, String> given) {
        String text = given.remove("--proxy-gid");
        if (text == null) {
            throw new IllegalArgumentException(
                    "--proxy-gid=GID is needed: the group of the proxy's process, or its connections would come back to it");
        }
        long gid = value("--proxy-gid", text, Long::parseLong);
        if (gid < 1 || gid > MAX_GID) {
            throw new IllegalArgumentException("--proxy-gid is %s, not a group other than root's".formatted(text));
        }
        return gid;
    }

    private static <T> List<T> list(Map<String, String> given, String flag, Function<String, T> reader) {
        String text = given.remove(flag);
        List<T> items = new ArrayList<>();
        if (text != null) {
            for (String item : text.split(",", -1)) {
                if (!item.isBlank()) {
                    items.add(value(flag, item.strip(), reader));
                }
            }
        }
        if (items.size() > MAX_ITEMS) {
            throw new IllegalArgumentException(
                    "%s has %d items, more than %d: use ranges".formatted(flag, items.size(), MAX_ITEMS));
        }
        return items;
    }

    private static Flavour flavour(String text) {
        for (Flavour flavour : Flavour.values()) {
            if (flavour.word().equals(text)) {
                return flavour;
            }
        }
        throw new IllegalArgumentException("--backend is '%s', not nft or legacy".formatted(text));
    }

    private static <T> T value(String flag, String text, Function<String, T> reader) {
        try {
            return reader.apply(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("%s: not a whole number: '%s'".formatted(flag, text), e);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("%s: %s".formatted(flag, e.getMessage()), e);
        }
    }
}
