package dev.tulle.proxy.redirect;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Writes the rules of both families, each with the tools that work here.
 *
 * <p>A family that has an address beyond this machine must be redirected, or the step fails; one that has none is redirected if that
 * can be done.
 */
final class RedirectStep {
    private final RedirectOptions options;
    private final Reach reach;

    /** Nothing helped; the message names each try and a cure. */
    static final class Failure extends Exception {
        Failure(String problem) {
            super(problem);
        }

        String problem() {
            return String.valueOf(getMessage());
        }
    }

    RedirectStep(RedirectOptions options, Reach reach) {
        this.options = options;
        this.reach = reach;
    }

    /** Writes the rules; gives one sentence a family. */
    List<String> run() throws Failure {
        List<String> said = new ArrayList<>();
        boolean any = false;
        for (Family family : Family.values()) {
            Map<Flavour, String> refusals = new EnumMap<>(Flavour.class);
            Optional<Flavour> by = redirect(family, refusals);
            if (by.isPresent()) {
                any = true;
                said.add("%s is redirected by %s: inbound to %d, outbound to %d"
                        .formatted(family.title(), by.get().word(), options.inboundPort(), options.outboundPort()));
            } else if (reach.has(family)) {
                throw new Failure(problem(family, refusals));
            } else {
                said.add("%s is not redirected, and has no address here (%s)"
                        .formatted(family.title(), String.join("; ", refusals.values())));
            }
        }
        if (!any) {
            throw new Failure("neither family could be redirected: " + String.join("; ", said));
        }
        return said;
    }

    /** Tools that answer, and what they show of the nat table. */
    private record Usable(Flavour flavour, Tools tools, String saved) {
        boolean hasOurs() {
            return RedirectRules.arePartOf(saved);
        }
    }

    private Optional<Flavour> redirect(Family family, Map<Flavour, String> refusals) {
        List<Usable> usable = new ArrayList<>();
        for (Flavour flavour : options.flavour().map(List::of).orElse(List.of(Flavour.values()))) {
            Optional<Tools> tools = Tools.of(family, flavour);
            if (tools.isEmpty()) {
                refusals.put(flavour, "%s-%s-restore is not installed".formatted(family.tool(), flavour.word()));
                continue;
            }
            try {
                usable.add(new Usable(flavour, tools.get(), tools.get().save()));
            } catch (Tools.Refused e) {
                refusals.put(flavour, e.words());
            }
        }
        // Rules of an earlier run in one flavour must not be joined by those of the other.
        usable.sort(Comparator.comparing(Usable::hasOurs).reversed());
        for (Usable each : usable) {
            try {
                each.tools().restore(RedirectRules.text(options, family, each.saved()));
                if (RedirectRules.arePartOf(each.tools().save())) {
                    return Optional.of(each.flavour());
                }
                refusals.put(
                        each.flavour(),
                        "%s-%s took the rules, but does not show them"
                                .formatted(family.tool(), each.flavour().word()));
            } catch (Tools.Refused e) {
                refusals.put(each.flavour(), e.words());
            }
        }
        return Optional.empty();
    }

    private static String problem(Family family, Map<Flavour, String> refusals) {
        return "%s cannot be redirected. %s. %s"
                .formatted(
                        family.title(),
                        String.join(". ", refusals.values()),
                        cure(String.join(" ", refusals.values())));
    }

    /** What to do about the words of the tools. Pure. */
    static String cure(String words) {
        if (words.contains("Permission denied") || words.contains("Operation not permitted")) {
            return "Cure: run the container as root with the capabilities NET_ADMIN and NET_RAW"
                    + " (securityContext: runAsUser 0, capabilities add [NET_ADMIN, NET_RAW]);"
                    + " where a policy forbids that, give the namespace an exception or leave the pod out of the mesh";
        }
        if (words.contains("not installed")) {
            return "Cure: use the image tulle-proxy, which has the tools of iptables";
        }
        if (words.contains("lock")) {
            return "Cure: another program holds the lock of iptables in this pod, or there is no place for its file: mount an"
                    + " emptyDir at /run";
        }
        return "Cure: load the kernel's modules on the node: for nft nf_tables, nft_compat, nft_chain_nat, xt_REDIRECT and xt_owner;"
                + " for legacy ip_tables, iptable_nat (IPv6: ip6_tables, ip6table_nat), xt_REDIRECT and xt_owner";
    }
}
