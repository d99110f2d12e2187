package dev.tulle.proxy.redirect;

import java.util.ArrayList;
import java.util.List;

/**
 * The rules as text for {@code iptables-restore --noflush}. Pure.
 *
 * <p>Only chains of our own are filled, so that what others wrote stays; naming such a chain empties it first, so that the same text
 * gives the same rules however often it is restored. Only the two jumps into them stand in chains of the system, and they are written
 * only where they are not there yet.
 *
 * <p>Source: Linux, {@code nf_nat_redirect.c}: REDIRECT leads to the incoming interface's own address, for local connections to
 * loopback.
 */
public final class RedirectRules {
    /** A port on loopback that nobody serves: when the proxy dials it, the rules turn it to its outbound port; thus it sees that they work. */
    public static final int PROOF_PORT = 15804;

    static final String INBOUND = "TULLE_INBOUND";
    static final String OUTBOUND = "TULLE_OUTBOUND";
    private static final String JUMP_INBOUND = "-A PREROUTING -p tcp -j " + INBOUND;
    private static final String JUMP_OUTBOUND = "-A OUTPUT -p tcp -j " + OUTBOUND;
    private static final int DNS = 53;

    private RedirectRules() {}

    /**
     * What to restore.
     *
     * @param saved the nat table as {@code iptables-save} shows it now; empty for a new one
     */
    static String text(RedirectOptions options, Family family, String saved) {
        List<String> lines = new ArrayList<>();
        lines.add("*nat");
        lines.add(":" + INBOUND + " - [0:0]");
        lines.add(":" + OUTBOUND + " - [0:0]");
        inbound(options, family, lines);
        outbound(options, family, lines);
        List<String> there = saved.lines().map(String::strip).toList();
        for (String jump : List.of(JUMP_INBOUND, JUMP_OUTBOUND)) {
            if (!there.contains(jump)) {
                lines.add(jump);
            }
        }
        lines.add("COMMIT");
        return String.join("\n", lines) + "\n";
    }

    /** Whether a nat table, as {@code iptables-save} shows it, leads to our chains. */
    static boolean arePartOf(String saved) {
        return saved.lines().map(String::strip).toList().containsAll(List.of(JUMP_INBOUND, JUMP_OUTBOUND));
    }

    private static void inbound(RedirectOptions options, Family family, List<String> lines) {
        of(options.skipInboundCidrs(), family)
                .forEach(cidr -> lines.add("-A %s -s %s -j RETURN".formatted(INBOUND, cidr.text())));
        options.skipInboundPorts()
                .forEach(ports -> lines.add("-A %s -p tcp --dport %s -j RETURN".formatted(INBOUND, ports)));
        lines.add("-A %s -p tcp -j REDIRECT --to-ports %d".formatted(INBOUND, options.inboundPort()));
    }

    private static void outbound(RedirectOptions options, Family family, List<String> lines) {
        lines.add("-A %s -o lo -d %s -p tcp --dport %d -m owner --gid-owner %d -j REDIRECT --to-ports %d"
                .formatted(OUTBOUND, family.loopbackAddress(), PROOF_PORT, options.proxyGid(), options.outboundPort()));
        // The proxy calls its own pod, because the application called itself through a Service: it dials from loopback,
        // by which
        // this is told from the proxy that passes on to the application what it has let in.
        lines.add("-A %s -o lo -s %s ! -d %s -p tcp -m owner --gid-owner %d -j REDIRECT --to-ports %d"
                .formatted(
                        OUTBOUND,
                        family.loopbackAddress(),
                        family.loopbackNetwork(),
                        options.proxyGid(),
                        options.inboundPort()));
        lines.add("-A %s -m owner --gid-owner %d -j RETURN".formatted(OUTBOUND, options.proxyGid()));
        lines.add("-A %s -o lo -j RETURN".formatted(OUTBOUND));
        of(options.skipOutboundCidrs(), family)
                .forEach(cidr -> lines.add("-A %s -d %s -j RETURN".formatted(OUTBOUND, cidr.text())));
        lines.add("-A %s -p tcp --dport %d -j RETURN".formatted(OUTBOUND, DNS));
        options.skipOutboundPorts()
                .forEach(ports -> lines.add("-A %s -p tcp --dport %s -j RETURN".formatted(OUTBOUND, ports)));
        lines.add("-A %s -p tcp -j REDIRECT --to-ports %d".formatted(OUTBOUND, options.outboundPort()));
    }

    private static List<Cidr> of(List<Cidr> cidrs, Family family) {
        return cidrs.stream().filter(cidr -> cidr.family() == family).toList();
    }
}
