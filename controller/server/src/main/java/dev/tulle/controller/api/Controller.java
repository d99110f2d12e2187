package dev.tulle.controller.api;

import static java.util.Objects.requireNonNull;

import dev.tulle.controller.assemble.Assembled;
import dev.tulle.controller.discovery.ProxyRegistry;
import dev.tulle.controller.discovery.Publisher;
import dev.tulle.controller.discovery.Refusals;
import dev.tulle.controller.discovery.StreamCounters;
import dev.tulle.controller.identity.CertificateAuthority;
import dev.tulle.controller.report.TrafficWindow;
import dev.tulle.proxy.model.WorkloadId;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.function.Supplier;

/**
 * The parts of a running controller that are looked at.
 *
 * @param progress what the reconciler has come to
 * @param authority certificates
 * @param registry proxies
 * @param publisher streams
 * @param refusals proxies turned away
 * @param counters of all streams
 * @param traffic what the proxies saw
 * @param clock of all of it
 */
public record Controller(
        Supplier<Progress> progress,
        CertificateAuthority authority,
        ProxyRegistry registry,
        Publisher publisher,
        Refusals refusals,
        StreamCounters counters,
        TrafficWindow traffic,
        Clock clock) {
    public Controller {
        requireNonNull(progress, "progress");
        requireNonNull(authority, "authority");
        requireNonNull(registry, "registry");
        requireNonNull(publisher, "publisher");
        requireNonNull(refusals, "refusals");
        requireNonNull(counters, "counters");
        requireNonNull(traffic, "traffic");
        requireNonNull(clock, "clock");
    }

    /**
     * What the reconciler has come to.
     *
     * @param generation how many different meshes there were since the start
     * @param assembled the newest one; absent before the first
     * @param ownProblems of the controller itself, such as a full disk; each one sentence
     * @param rotationWaitsFor proxies a root rotation waits for
     * @param rebuildSeconds how long the last rebuild took
     * @param at when it was finished
     */
    public record Progress(
            long generation,
            Optional<Assembled> assembled,
            List<OwnProblem> ownProblems,
            SortedSet<WorkloadId> rotationWaitsFor,
            double rebuildSeconds,
            Instant at) {
        public Progress {
            requireNonNull(assembled, "assembled");
            ownProblems = List.copyOf(ownProblems);
            requireNonNull(rotationWaitsFor, "rotationWaitsFor");
            requireNonNull(at, "at");
        }
    }

    /**
     * Something wrong in the controller's own doing.
     *
     * @param object what it is about
     * @param message one sentence with the cure
     * @param remedy what goes on meanwhile
     */
    public record OwnProblem(String object, String message, String remedy) {
        public OwnProblem {
            requireNonNull(object, "object");
            requireNonNull(message, "message");
            requireNonNull(remedy, "remedy");
        }
    }
}
