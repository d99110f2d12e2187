/** Sample classes that the rule must catch: pure. */
@NullMarked
package dev.tulle.conformance.architecture.sample.pure;

import org.jspecify.annotations.NullMarked;
