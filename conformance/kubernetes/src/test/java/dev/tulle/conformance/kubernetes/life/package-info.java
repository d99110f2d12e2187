/** A pod's life from its first container to its last connection, each test named after the pain it spares people. */
@NullMarked
package dev.tulle.conformance.kubernetes.life;

import org.jspecify.annotations.NullMarked;
