/** The proxy's own small HTTP server: liveness, readiness, metrics, config dump and shutdown. */
@NullMarked
package dev.tulle.proxy.admin;

import org.jspecify.annotations.NullMarked;
