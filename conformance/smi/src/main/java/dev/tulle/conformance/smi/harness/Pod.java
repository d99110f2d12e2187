package dev.tulle.conformance.smi.harness;

import java.util.Map;
import java.util.TreeMap;

/**
 * An application to be started: a Pod with the name of a Service, unless another is said.
 *
 * @param name of the pod, its service account, its Service and, as label {@code app}, its mark; what it calls itself in answers
 * @param place which namespace of its stage: {@code home}, or a name that the stage makes one for
 * @param serviceAccount whom it runs as
 * @param labels beside {@code app}
 */
public record Pod(String name, String place, String serviceAccount, Map<String, String> labels) {
    /** The stage's own namespace. */
    public static final String HOME = "home";

    public Pod {
        labels = Map.copyOf(labels);
    }

    public static Pod named(String name) {
        return new Pod(name, HOME, name, Map.of());
    }

    public Pod in(String otherPlace) {
        return new Pod(name, otherPlace, serviceAccount, labels);
    }

    public Pod runningAs(String account) {
        return new Pod(name, place, account, labels);
    }

    public Pod label(String key, String value) {
        Map<String, String> more = new TreeMap<>(labels);
        more.put(key, value);
        return new Pod(name, place, serviceAccount, more);
    }
}
