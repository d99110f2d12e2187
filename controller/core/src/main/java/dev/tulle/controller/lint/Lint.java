package dev.tulle.controller.lint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tulle.controller.assemble.Assembled;
import dev.tulle.controller.assemble.MeshAssembler;
import dev.tulle.controller.inject.InjectSettings;
import dev.tulle.controller.inject.NamespaceView;
import dev.tulle.controller.inject.PodTemplates;
import dev.tulle.controller.lint.Finding.Level;
import dev.tulle.controller.lint.Manifests.Extent;
import dev.tulle.controller.resources.ObjectRef;
import dev.tulle.controller.resources.Origin;
import dev.tulle.controller.resources.Resources;
import dev.tulle.smi.Parsed;
import dev.tulle.smi.SmiReader;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * Says everything that is wrong or doubtful in objects; pure.
 *
 * <p>Three sources, one list: what an object says of itself ({@link ObjectRules}), what assembling the mesh meets, and what is legal
 * but probably not meant ({@link SplitRules}, {@link TargetRules}, {@link RouteRules}).
 */
public final class Lint {
    /** Rules about what pods there are. */
    private static final Set<String> OF_PODS = Set.of(ProblemRules.NO_ENDPOINTS, ProblemRules.UNUSED_ACCOUNT);

    private final InjectSettings settings;

    /** @param settings what injected pods are made of */
    public Lint(InjectSettings settings) {
        this.settings = settings;
    }

    /** Of all of these, in {@link Finding#ORDER}. */
    public List<Finding> of(Manifests manifests) {
        Resources resources = manifests.resources();
        Map<ObjectRef, Origin> origins = new HashMap<>(resources.origins());
        Map<String, NamespaceView> namespaces = new HashMap<>();
        for (Manifest manifest : manifests.objects()) {
            manifest.origin().ifPresent(origin -> origins.putIfAbsent(manifest.ref(), origin));
            if (manifest.ref().kind().equals("Namespace")) {
                namespaces.put(manifest.ref().name(), view(manifest.ref().name(), manifest.content()));
            }
        }
        Findings findings = new Findings(origins);
        ObjectRules rules = new ObjectRules(
                settings, name -> namespaces.getOrDefault(name, NamespaceView.of(name, Map.of(), Map.of())), findings);
        manifests.objects().forEach(manifest -> rules.check(manifest.ref(), manifest.content()));
        mesh(resources, manifests.extent(), findings);
        NamespaceRules.check(manifests, namespaces, findings);
        return inOrder(asWritten(findings.found(), manifests.objects()));
    }

    /**
     * Of one object by itself: errors are what must not be let in.
     *
     * @param namespaces for their labels and annotations
     */
    public List<Finding> ofObject(ObjectRef ref, ObjectNode object, Function<String, NamespaceView> namespaces) {
        Findings findings = new Findings(Map.of());
        new ObjectRules(settings, namespaces, findings).check(ref, object);
        return inOrder(findings.found());
    }

    /**
     * Of one SMI object among all others, as it will be: nothing that {@link #ofObject} says already, nothing where it cannot be read, and
     * nothing of pods, which are often made after what is said of them.
     *
     * @param others everything that is there, with or without the object
     */
    public List<Finding> among(Resources others, ObjectRef ref, ObjectNode object) {
        if (!(SmiReader.read(object) instanceof Parsed.Ok ok)) {
            return List.of();
        }
        Findings findings = new Findings(Map.of());
        mesh(others.with(ok.object()), Extent.CLUSTER, findings);
        return inOrder(findings.found().stream()
                .filter(finding -> finding.object().equals(Optional.of(ref)))
                .filter(finding -> finding.level() != Level.INFO && !OF_PODS.contains(finding.rule()))
                .toList());
    }

    private static void mesh(Resources resources, Extent extent, Findings findings) {
        Assembled assembled = MeshAssembler.assemble(resources);
        World world = new World(resources, assembled.mesh(), extent);
        new ProblemRules(world, findings).check(assembled.problems());
        new SplitRules(world, findings).check();
        new TargetRules(world, findings).check();
        new RouteRules(world, findings).check();
    }

    private static NamespaceView view(String name, ObjectNode object) {
        return NamespaceView.of(
                name,
                ObjectRules.words(object.at("/metadata/labels")),
                ObjectRules.words(object.at("/metadata/annotations")));
    }

    /** What was found of a pod is said of what makes it, where that was written. */
    private static List<Finding> asWritten(List<Finding> findings, List<Manifest> manifests) {
        Map<ObjectRef, Manifest> makers = new HashMap<>();
        manifests.forEach(manifest -> manifest.pod().ifPresent(pod -> makers.put(pod, manifest)));
        List<Finding> written = new ArrayList<>();
        for (Finding finding : findings) {
            Manifest maker = finding.object().map(makers::get).orElse(null);
            if (maker == null || finding.object().equals(Optional.of(maker.ref()))) {
                written.add(finding);
                continue;
            }
            List<String> path = PodTemplates.path(maker.content()).orElse(List.of());
            String field = String.join(".", path) + (path.isEmpty() ? "" : ".") + finding.field();
            written.add(finding.of(maker.ref(), maker.origin().map(origin -> origin.at(field)), field));
        }
        return written;
    }

    /** Of findings of one field that say the same, or less than an error there does, one is enough. */
    private static List<Finding> inOrder(List<Finding> findings) {
        List<Finding> kept = new ArrayList<>();
        Set<List<Object>> said = new HashSet<>();
        Set<List<Object>> errors = new HashSet<>();
        for (Finding finding : findings.stream().sorted(Finding.ORDER).toList()) {
            List<Object> field = List.of(finding.object(), finding.place(), finding.field());
            boolean isNew = said.add(List.of(field, finding.cause()));
            boolean isLess = errors.contains(field) && !finding.field().isEmpty();
            if (finding.level() == Level.ERROR) {
                errors.add(field);
            }
            if (isNew && !isLess) {
                kept.add(finding);
            }
        }
        return kept;
    }
}
