/** What the application receives: identity, judgement, and the way to the application beside the proxy. */
@NullMarked
package dev.tulle.proxy.inbound;

import org.jspecify.annotations.NullMarked;
