/** What is decided when calls fail, are late or are too many: whether to try again, whom to leave out, what to refuse. */
@NullMarked
package dev.tulle.proxy.resilience;

import org.jspecify.annotations.NullMarked;
