/** The command {@code tulle}: asks the controller's HTTP API and shows the answer to people, or as JSON to programs. */
@NullMarked
package dev.tulle.cli;

import org.jspecify.annotations.NullMarked;
