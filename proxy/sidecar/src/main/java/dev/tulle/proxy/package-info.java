/** The sidecar proxy: start, wiring and end. */
@NullMarked
package dev.tulle.proxy;

import org.jspecify.annotations.NullMarked;
