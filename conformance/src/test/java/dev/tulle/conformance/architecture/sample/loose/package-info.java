/** Sample classes that the rule must catch: loose. */
@NullMarked
package dev.tulle.conformance.architecture.sample.loose;

import org.jspecify.annotations.NullMarked;
