/** Every way in which pods reach each other and the world, with and without a proxy beside them. */
@NullMarked
package dev.tulle.conformance.kubernetes.traffic;

import org.jspecify.annotations.NullMarked;
