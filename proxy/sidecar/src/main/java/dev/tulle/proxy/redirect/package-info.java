/** The step before a pod's containers start: nat rules that turn its traffic to the proxy. JDK only, so that it starts fast. */
@NullMarked
package dev.tulle.proxy.redirect;

import org.jspecify.annotations.NullMarked;
