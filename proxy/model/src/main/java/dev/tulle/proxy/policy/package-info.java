/** Who may call: the verdict on each inbound call, and its explanation from the same predicates. */
@NullMarked
package dev.tulle.proxy.policy;

import org.jspecify.annotations.NullMarked;
