/** The controller as a program: {@link dev.tulle.controller.Main} wires it, {@link dev.tulle.controller.Reconciler} drives it. */
@NullMarked
package dev.tulle.controller;

import org.jspecify.annotations.NullMarked;
