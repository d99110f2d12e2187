/**
 * The proxies' side of the controller: enrolment, renewal and the streams on which each proxy is told what it needs.
 *
 * <p>{@link dev.tulle.controller.discovery.DiscoveryServer} speaks HTTP/2 over TLS; {@link
 * dev.tulle.controller.discovery.Publisher} hands each snapshot to the streams; {@link
 * dev.tulle.controller.discovery.ProxyRegistry} remembers what is known of each proxy. The wire is described in {@code
 * proxy/model/README.md}.
 */
@NullMarked
package dev.tulle.controller.discovery;

import org.jspecify.annotations.NullMarked;
