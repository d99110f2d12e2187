/** Whether an HTTP request meets the matches of a rule or a route. */
@NullMarked
package dev.tulle.proxy.match;

import org.jspecify.annotations.NullMarked;
