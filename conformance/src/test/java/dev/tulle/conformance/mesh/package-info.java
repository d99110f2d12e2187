/** Meshes for tests: an authority that also signs what it should not, sidecars and controllers as processes, origins that remember. */
@NullMarked
package dev.tulle.conformance.mesh;

import org.jspecify.annotations.NullMarked;
