/** Looks at Tulle from outside: real clients, attackers and accidents against running programs. */
@NullMarked
package dev.tulle.conformance;

import org.jspecify.annotations.NullMarked;
