/** What the tests on a real cluster have in common. */
@NullMarked
package dev.tulle.conformance.kubernetes;

import org.jspecify.annotations.NullMarked;
