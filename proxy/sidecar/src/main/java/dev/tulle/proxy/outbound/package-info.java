/** What the application sends: from a local port or a redirected connection to the endpoint that serves it. */
@NullMarked
package dev.tulle.proxy.outbound;

import org.jspecify.annotations.NullMarked;
