/** What people and tools are shown: the JSON API, server-sent events, health and meters. Everything here is read only. */
@NullMarked
package dev.tulle.controller.api;

import org.jspecify.annotations.NullMarked;
