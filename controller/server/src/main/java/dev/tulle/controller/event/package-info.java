/** How Events look that people read. */
@NullMarked
package dev.tulle.controller.event;

import org.jspecify.annotations.NullMarked;
