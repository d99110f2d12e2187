/** The cluster the controller runs in: its objects as resources, who leads, and what is said back to it. */
@NullMarked
package dev.tulle.controller.kubernetes;

import org.jspecify.annotations.NullMarked;
