package dev.tulle.controller.lint;

import dev.tulle.controller.lint.Finding.Level;
import dev.tulle.controller.resources.NearestName;
import dev.tulle.controller.resources.ObjectRef;
import dev.tulle.controller.resources.Problem;
import dev.tulle.controller.resources.Problem.Severity;
import java.util.List;
import java.util.Optional;

/** What reading and assembling met, as findings: what is missing weighs as much as is known of where it should be. */
final class ProblemRules {
    static final String NO_ENDPOINTS = "no-endpoints";
    static final String UNUSED_ACCOUNT = "unused-account";

    private final World world;
    private final Findings findings;

    ProblemRules(World world, Findings findings) {
        this.world = world;
        this.findings = findings;
    }

    void check(List<Problem> problems) {
        for (Problem problem : problems) {
            if (problem.missing().isPresent() && problem.object().isPresent()) {
                missing(problem, problem.object().get(), problem.missing().get());
            } else {
                add(problem, rule(problem), level(problem), CauseAndCure.of(problem.message()));
            }
        }
    }

    private static String rule(Problem problem) {
        if (problem.field().startsWith(Finding.ANNOTATIONS)) {
            return "annotation";
        }
        if (problem.object().isEmpty()) {
            return "file";
        }
        if (problem.field().equals("metadata.name")) {
            return "defined-twice";
        }
        return switch (problem.object().get().kind()) {
            case "TrafficSplit" -> problem.severity() == Severity.ERROR ? "splits-conflict" : "split-ports";
            case "TrafficTarget" ->
                problem.field().endsWith("destination.namespace")
                        ? "other-namespace"
                        : problem.severity() == Severity.ERROR ? "missing-match" : "grants-nothing";
            case "HTTPRouteGroup" -> "regex-unusable";
            default -> "object";
        };
    }

    private static Level level(Problem problem) {
        return switch (problem.severity()) {
            case ERROR -> Level.ERROR;
            case WARNING -> Level.WARNING;
            case INFO -> Level.INFO;
        };
    }

    private void add(Problem problem, String rule, Level level, CauseAndCure halves) {
        findings.add(new Finding(
                level,
                rule,
                problem.object(),
                problem.place(),
                problem.field(),
                halves.cause(),
                problem.outcome(),
                halves.cure()));
    }

    private void missing(Problem problem, ObjectRef object, ObjectRef missing) {
        String namespace = missing.namespace();
        switch (missing.kind()) {
            case "Endpoints" -> {
                boolean isAsked = !object.kind().equals("Service") || world.isSplit(missing);
                if (world.knowsWorkloadsOf(namespace)
                        && (world.isCluster() || object.kind().equals("Service"))) {
                    add(
                            problem,
                            NO_ENDPOINTS,
                            isAsked && !world.isCluster() ? Level.WARNING : severity(problem),
                            new CauseAndCure(
                                    problem.message(),
                                    "start its workload, or correct spec.selector to the labels of what should answer"));
                }
            }
            case "ServiceAccount" -> {
                Level level = world.knowsWorkloadsOf(namespace) ? Level.WARNING : Level.INFO;
                boolean isDestination = problem.field().contains("destination");
                if (!world.knowsWorkloadsOf(namespace) && isDestination) {
                    level = Level.WARNING;
                }
                add(
                        problem,
                        UNUSED_ACCOUNT,
                        level,
                        new CauseAndCure(
                                problem.message() + (world.isCluster() ? "" : " among the files given"),
                                "%scorrect the name, or set serviceAccountName of the pods that are meant"
                                        .formatted(NearestName.question(
                                                missing.name(), world.names("ServiceAccount", namespace)))));
            }
            default -> {
                boolean isProof = world.knowsObjectsOf(namespace);
                boolean hasNoEffect =
                        problem.severity() == Severity.ERROR || problem.field().equals("spec.service");
                Optional<String> near = NearestName.to(missing.name(), world.names(missing.kind(), namespace));
                add(
                        problem,
                        missing.kind().equals("Service") ? "missing-service" : "missing-route",
                        isProof && hasNoEffect ? Level.ERROR : Level.WARNING,
                        new CauseAndCure(
                                world.notHere(missing),
                                near.map("is %s meant? Correct the name, or make it"::formatted)
                                        .orElse("make it, or correct the name")));
            }
        }
    }

    private static Level severity(Problem problem) {
        return problem.severity() == Severity.INFO ? Level.INFO : Level.WARNING;
    }
}
