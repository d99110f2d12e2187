/** Pure: explains what would become of a call, with the code that decides it. */
@NullMarked
package dev.tulle.controller.why;

import org.jspecify.annotations.NullMarked;
