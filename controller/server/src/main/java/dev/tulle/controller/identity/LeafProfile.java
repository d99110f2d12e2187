package dev.tulle.controller.identity;

import static java.util.Objects.requireNonNull;

import dev.tulle.proxy.model.SpiffeId;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.x500.RDN;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x500.style.IETFUtils;

/**
 * What a leaf certificate says, whoever holds its key.
 *
 * @param identity the one URI name
 * @param instance the uid of the one pod it was made for, its subject's serial number; empty where there are no pods. It gives no right:
 *     it lets a renewal be refused once that pod is gone
 * @param dnsNames further names; only the controller's own certificate has some, so that people can call it by curl
 * @param addresses IPv4 or IPv6 addresses, same purpose
 * @param notBefore start; a little in the past, for clocks that lag
 * @param notAfter end, never after the issuer's
 */
record LeafProfile(
        SpiffeId identity,
        String instance,
        List<String> dnsNames,
        List<String> addresses,
        Instant notBefore,
        Instant notAfter) {
    /** How far a certificate's start lies back. */
    static final Duration BACKDATING = Duration.ofMinutes(5);

    LeafProfile {
        requireNonNull(identity, "identity");
        requireNonNull(instance, "instance");
        dnsNames = List.copyOf(dnsNames);
        addresses = List.copyOf(addresses);
        if (!notBefore.isBefore(notAfter)) {
            throw new IllegalArgumentException(
                    "a leaf of %s would live from %s to %s".formatted(identity, notBefore, notAfter));
        }
    }

    /** The leaf of a workload, made now. */
    static LeafProfile ofWorkload(SpiffeId identity, Instant now, Duration life, Instant issuerEnd) {
        return new LeafProfile(
                identity, "", List.of(), List.of(), now.minus(BACKDATING), earlier(now.plus(life), issuerEnd));
    }

    /** The same leaf, made for one pod. */
    LeafProfile ofInstance(String uid) {
        return new LeafProfile(identity, uid, dnsNames, addresses, notBefore, notAfter);
    }

    /** The same leaf with names to call its holder by. */
    LeafProfile reachableAs(List<String> names, List<String> ips) {
        return new LeafProfile(identity, instance, names, ips, notBefore, notAfter);
    }

    /** Who the certificate says it is of, beside its URI name: nobody, or one pod. */
    X500Name subject() {
        X500NameBuilder subject = new X500NameBuilder();
        if (!instance.isEmpty()) {
            subject.addRDN(BCStyle.SERIALNUMBER, instance);
        }
        return subject.build();
    }

    /** The instance that a subject names; empty when it names none. */
    static String instanceOf(X500Principal subject) {
        RDN[] found = X500Name.getInstance(subject.getEncoded()).getRDNs(BCStyle.SERIALNUMBER);
        return found.length == 1 ? IETFUtils.valueToString(found[0].getFirst().getValue()) : "";
    }

    private static Instant earlier(Instant one, Instant other) {
        return one.isBefore(other) ? one : other;
    }
}
