/** Where a request goes: the tables compiled from a config, the choice of a route, and the normal form of a path. */
@NullMarked
package dev.tulle.proxy.routing;

import org.jspecify.annotations.NullMarked;
