/**
 * Identity in a cluster: the authority's Secret, an issuer that was given, proof by service account, trust in every namespace, and the
 * webhooks' certificate.
 *
 * <p>What to do is decided by {@link dev.tulle.controller.identity} and by pure values here (such as
 * {@link dev.tulle.controller.trust.PodProof}); the rest reads and writes objects, on a clock rather than on events, so that nothing missed
 * stays missed.
 */
@NullMarked
package dev.tulle.controller.trust;

import org.jspecify.annotations.NullMarked;
