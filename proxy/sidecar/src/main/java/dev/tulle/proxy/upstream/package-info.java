/** The way to an endpoint: dialling, pools of connections, one for each event loop, and the relay between two legs. */
@NullMarked
package dev.tulle.proxy.upstream;

import org.jspecify.annotations.NullMarked;
