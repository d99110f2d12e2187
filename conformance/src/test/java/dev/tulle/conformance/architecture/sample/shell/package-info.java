/** Sample classes that the rule must catch: shell. */
@NullMarked
package dev.tulle.conformance.architecture.sample.shell;

import org.jspecify.annotations.NullMarked;
