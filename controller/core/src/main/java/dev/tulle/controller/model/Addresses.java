package dev.tulle.controller.model;

import static java.util.Objects.requireNonNull;

import dev.tulle.proxy.model.Protocol;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.WorkloadId;
import java.util.Collection;
import java.util.Collections;
import java.util.Locale;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What an address that an application dials stands for.
 *
 * @param services by cluster address, in the form of {@link #canonical}
 * @param members pods, by address of their own, likewise
 */
public record Addresses(SortedMap<String, ServiceName> services, SortedMap<String, Member> members) {
    private static final int GROUPS = 8;

    public Addresses {
        services = Collections.unmodifiableSortedMap(new TreeMap<>(services));
        members = Collections.unmodifiableSortedMap(new TreeMap<>(members));
    }

    /** Those of Services alone. */
    public static Addresses of(Collection<Service> services) {
        return new Addresses(byAddress(services), new TreeMap<>());
    }

    /** Services by their cluster addresses; of two that claim one, the first by name has it. */
    public static SortedMap<String, ServiceName> byAddress(Collection<Service> services) {
        SortedMap<String, ServiceName> found = new TreeMap<>();
        for (Service service : services) {
            service.addresses().forEach(address -> found.putIfAbsent(canonical(address), service.name()));
        }
        return found;
    }

    /** The Service that has a cluster address. */
    public Optional<ServiceName> service(String address) {
        return Optional.ofNullable(services.get(canonical(address)));
    }

    /** The pod that has an address. */
    public Optional<Member> member(String address) {
        return Optional.ofNullable(members.get(canonical(address)));
    }

    /** One spelling for each IPv6 address: eight groups, lower case, no leading zeros. Anything else stays as it is. */
    public static String canonical(String address) {
        if (address.indexOf(':') < 0 || address.indexOf('.') >= 0) {
            return address;
        }
        int gap = address.indexOf("::");
        String[] front = groups(gap < 0 ? address : address.substring(0, gap));
        String[] back = groups(gap < 0 ? "" : address.substring(gap + 2));
        int missing = GROUPS - front.length - back.length;
        if (missing < 0 || (gap < 0 && missing > 0)) {
            return address;
        }
        StringBuilder text = new StringBuilder();
        for (String group : front) {
            append(text, group);
        }
        for (int i = 0; i < missing; i++) {
            append(text, "0");
        }
        for (String group : back) {
            append(text, group);
        }
        return text.toString();
    }

    private static String[] groups(String part) {
        return part.isEmpty() ? new String[0] : part.split(":", -1);
    }

    private static void append(StringBuilder text, String group) {
        String plain = group.toLowerCase(Locale.ROOT).replaceFirst("^0+(?=.)", "");
        text.append(text.isEmpty() ? "" : ":").append(plain);
    }

    /**
     * One pod, called by its own address: a member of a StatefulSet as a rule, or one that a load balancer or a scraper picked.
     *
     * @param workload the pod
     * @param owner the Deployment (or its like) it belongs to
     * @param identity what its proxy proves to be; absent where there is none
     * @param zone its failure domain, or empty
     * @param ports those that are declared, or that some Service leads to, by number
     * @param opaque further ports whose bytes are opaque
     */
    public record Member(
            WorkloadId workload,
            String owner,
            Optional<SpiffeId> identity,
            String zone,
            SortedMap<Integer, MemberPort> ports,
            SortedSet<Integer> opaque) {
        public Member {
            requireNonNull(workload, "workload");
            requireNonNull(owner, "owner");
            requireNonNull(identity, "identity");
            requireNonNull(zone, "zone");
            ports = Collections.unmodifiableSortedMap(new TreeMap<>(ports));
            opaque = Collections.unmodifiableSortedSet(new TreeSet<>(opaque));
        }
    }

    /**
     * A port of such a pod.
     *
     * @param protocol what is spoken
     * @param service the headless Service that leads there, when there is exactly one: its policies hold
     */
    public record MemberPort(Protocol protocol, Optional<ServiceName> service) {
        public MemberPort {
            requireNonNull(protocol, "protocol");
            requireNonNull(service, "service");
        }
    }
}
