/** Canaries on a real Kubernetes, driven by stock Flagger: what it does is judged by what applications received and users got. */
@NullMarked
package dev.tulle.conformance.flagger;

import org.jspecify.annotations.NullMarked;
