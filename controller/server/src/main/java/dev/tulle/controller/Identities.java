package dev.tulle.controller;

import static java.util.Objects.requireNonNull;

import dev.tulle.controller.api.Controller.OwnProblem;
import dev.tulle.controller.identity.Attestor;
import dev.tulle.controller.identity.CertificateAuthority;
import dev.tulle.controller.identity.JoinTokenAttestor;
import java.time.Clock;
import java.util.List;
import java.util.function.Supplier;

/**
 * Who signs, who says whom to sign for, and what is wrong with either.
 *
 * @param authority signs
 * @param attestor says whom proxies prove to be
 * @param problems beside those of the objects
 */
record Identities(CertificateAuthority authority, Attestor attestor, Supplier<List<OwnProblem>> problems) {
    Identities {
        requireNonNull(authority, "authority");
        requireNonNull(attestor, "attestor");
        requireNonNull(problems, "problems");
    }

    /** Those of a mesh without Kubernetes. */
    static Identities byJoinToken(CertificateAuthority authority, Clock clock) {
        return new Identities(authority, new JoinTokenAttestor(authority, clock), List::of);
    }
}
