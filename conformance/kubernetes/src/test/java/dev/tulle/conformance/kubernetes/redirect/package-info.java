/** The redirect step in network namespaces of its own: real nat rules, no cluster. */
@NullMarked
package dev.tulle.conformance.kubernetes.redirect;

import org.jspecify.annotations.NullMarked;
