/** Holds the table of allowed package arrows against the classes of every module. */
@NullMarked
package dev.tulle.conformance.architecture;

import org.jspecify.annotations.NullMarked;
