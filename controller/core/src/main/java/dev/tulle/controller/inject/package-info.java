/** Decides whether a pod gets a proxy, and puts it in: pure, on JSON trees. */
@NullMarked
package dev.tulle.controller.inject;

import org.jspecify.annotations.NullMarked;
