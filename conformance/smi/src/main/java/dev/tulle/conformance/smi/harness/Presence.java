package dev.tulle.conformance.smi.harness;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Whether there is a mesh to be asked at all. Without one every case of traffic would wait for it in vain, or see what any cluster does. */
public final class Presence {
    private static final String SPLITS = "trafficsplits.split.smi-spec.io";
    private static final List<String> DEFINITIONS =
            List.of(SPLITS, "traffictargets.access.smi-spec.io", "httproutegroups.specs.smi-spec.io");

    /** For the first sign of a mesh whose pods are ready: longer than a configuration may take. */
    private static final Duration SIGN = Duration.ofSeconds(15);

    private Presence() {}

    /**
     * Puts pods into the mesh and a split of everything before one of them, and waits until that one is not simply called: until it is the other
     * one, or until the call is denied.
     *
     * @return what keeps the cases of traffic from being asked; absent if nothing does
     */
    public static Optional<String> missing() {
        List<JsonNode> found = DEFINITIONS.stream()
                .flatMap(name -> Cluster.current().definition(name).stream())
                .toList();
        if (found.isEmpty()) {
            return Optional.of(
                    "the cluster has no SMI API: there is no CustomResourceDefinition %s; install a mesh that has them"
                            .formatted(String.join(", none ", DEFINITIONS)));
        }
        Stage stage = Stage.of("presence", Pod.named("caller"), Pod.named("one"), Pod.named("two"));
        try {
            stage.open();
        } catch (AssertionError e) {
            stage.close();
            return Optional.of("the suite's own pods do not start, so nothing can be asked: " + e.getMessage());
        }
        try {
            Optional<JsonNode> splits = Cluster.current().definition(SPLITS);
            splits.ifPresent(definition -> stage.apply("""
                    apiVersion: split.smi-spec.io/%s
                    kind: TrafficSplit
                    metadata: {name: presence}
                    spec: {service: one, backends: [{service: two, weight: 1}]}
                    """.formatted(newestServed(definition))));
            Within.eventually(SIGN, "a sign of a mesh", () -> {
                Calls calls = stage.call("caller", Request.get("http://one:9091/"));
                if (calls.succeeded() == 1 && calls.at("one") == 1) {
                    throw new AssertionError(calls);
                }
            });
            return Optional.empty();
        } catch (AssertionError e) {
            Target target = Cluster.current().target();
            return Optional.of(
                    "no mesh acts on the pods of a namespace with the labels %s and the annotations %s: after %d s a Service answers itself although a TrafficSplit leads all its requests elsewhere, and nothing is denied; is the mesh installed and ready, and do these let pods into it? (%s)"
                            .formatted(target.labels(), target.annotations(), SIGN.toSeconds(), e.getMessage()));
        } finally {
            stage.close();
        }
    }

    private static String newestServed(JsonNode definition) {
        String newest = "";
        for (JsonNode version : definition.at("/spec/versions")) {
            String name = version.path("name").asText();
            if (version.path("served").asBoolean() && name.compareTo(newest) > 0) {
                newest = name;
            }
        }
        return newest;
    }
}
