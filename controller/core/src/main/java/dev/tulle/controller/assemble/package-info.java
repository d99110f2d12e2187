/** Pure: makes the {@link dev.tulle.controller.model.Mesh} of {@link dev.tulle.controller.resources.Resources}, and the problems of it. */
@NullMarked
package dev.tulle.controller.assemble;

import org.jspecify.annotations.NullMarked;
