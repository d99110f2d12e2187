/** The quickstart's supervisor: starts a living mesh on one machine, keeps watch over its processes and ends them all. */
@NullMarked
package dev.tulle.quickstart;

import org.jspecify.annotations.NullMarked;
