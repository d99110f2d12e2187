/** The three groups of the published suite, step by step, with every check of traffic a hard one. */
@NullMarked
package dev.tulle.conformance.smi.published;

import org.jspecify.annotations.NullMarked;
