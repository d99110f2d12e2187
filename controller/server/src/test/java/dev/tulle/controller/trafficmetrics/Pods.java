package dev.tulle.controller.trafficmetrics;

import dev.tulle.controller.resources.MeshSettings;
import dev.tulle.controller.resources.Resources;
import dev.tulle.controller.resources.WorkloadResource;
import dev.tulle.controller.resources.WorkloadResource.Pod.Maker;
import dev.tulle.controller.resources.WorkloadResource.Pod.Serving;
import dev.tulle.proxy.model.WorkloadId;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/** Pods for tests, and a cluster that has nothing else. */
final class Pods {
    private Pods() {}

    /** One of a Deployment, whose name is its service account and its label {@code app}, too. */
    static WorkloadResource meshed(WorkloadId id, String deployment) {
        return pod(
                id,
                true,
                deployment,
                "a",
                new Maker("ReplicaSet", deployment + "-hash"),
                new Maker("Deployment", deployment));
    }

    static WorkloadResource pod(WorkloadId id, boolean meshed, String account, String node, Maker... makers) {
        return new WorkloadResource(
                id,
                makers[makers.length - 1].name(),
                account,
                new TreeMap<>(Map.of("app", account, "pod", id.name())),
                new TreeMap<>(),
                "10.0.0.1",
                List.of(),
                List.of(),
                Optional.empty(),
                Optional.of(new WorkloadResource.Pod(
                        meshed, List.of("10.0.0.1"), Serving.READY, List.of(), Arrays.asList(makers), node)));
    }

    static Resources there(WorkloadResource... pods) {
        return new Resources(
                List.of(),
                List.of(),
                List.of(),
                Arrays.asList(pods),
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                MeshSettings.NONE,
                new TreeSet<>(),
                new TreeMap<>(),
                List.of());
    }
}
