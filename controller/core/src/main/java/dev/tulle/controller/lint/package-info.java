/** Everything that is wrong or doubtful in SMI objects and in our labels and annotations: pure, for the command and the webhook alike. */
@NullMarked
package dev.tulle.controller.lint;

import org.jspecify.annotations.NullMarked;
