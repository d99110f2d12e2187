/** Holds what the files of the repository promise against what they say. */
@NullMarked
package dev.tulle.conformance.repository;

import org.jspecify.annotations.NullMarked;
