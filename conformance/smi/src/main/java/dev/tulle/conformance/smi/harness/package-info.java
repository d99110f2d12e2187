/** What cases are made of: the cluster, a namespace with applications, calls seen from both sides, and the annotations that name a case. */
@NullMarked
package dev.tulle.conformance.smi.harness;

import org.jspecify.annotations.NullMarked;
