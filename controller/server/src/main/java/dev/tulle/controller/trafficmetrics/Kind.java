package dev.tulle.controller.trafficmetrics;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** The kinds of things that traffic is told of; all that SMI's TrafficMetrics lists. */
enum Kind {
    NAMESPACES("Namespace", false),
    NODES("Node", false),
    PODS("Pod", true),
    REPLICATIONCONTROLLERS("ReplicationController", true),
    SERVICES("Service", true),
    DAEMONSETS("DaemonSet", true),
    DEPLOYMENTS("Deployment", true),
    REPLICASETS("ReplicaSet", true),
    STATEFULSETS("StatefulSet", true),
    JOBS("Job", true),
    TRAFFICSPLITS("TrafficSplit", true);

    private final String singular;
    private final boolean namespaced;

    Kind(String singular, boolean namespaced) {
        this.singular = singular;
        this.namespaced = namespaced;
    }

    /** As paths have it. */
    String plural() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** As references have it. */
    String singular() {
        return singular;
    }

    boolean isNamespaced() {
        return namespaced;
    }

    /** Whether such a thing is made of pods, whose own proxies count. */
    boolean isOfPods() {
        return this != SERVICES && this != TRAFFICSPLITS;
    }

    /** Whether labels are known by which it can be chosen: those of its pods. */
    boolean hasLabels() {
        return isOfPods() && this != NAMESPACES && this != NODES;
    }

    static Optional<Kind> of(String plural) {
        return Arrays.stream(values())
                .filter(kind -> kind.plural().equals(plural))
                .findFirst();
    }
}
