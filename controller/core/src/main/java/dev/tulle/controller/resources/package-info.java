/** One immutable copy of everything watched, as it was written, and the problems met while reading it. */
@NullMarked
package dev.tulle.controller.resources;

import org.jspecify.annotations.NullMarked;
