/** What the proxy is started with: settings, limits and its log. */
@NullMarked
package dev.tulle.proxy.bootstrap;

import org.jspecify.annotations.NullMarked;
