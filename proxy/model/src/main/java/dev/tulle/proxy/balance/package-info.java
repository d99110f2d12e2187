/** Who takes the next request: exact shares among clusters, the less loaded among endpoints. */
@NullMarked
package dev.tulle.proxy.balance;

import org.jspecify.annotations.NullMarked;
