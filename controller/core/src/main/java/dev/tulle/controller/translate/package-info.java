/** Pure: says the {@link dev.tulle.controller.model.Mesh} in the words one proxy understands. */
@NullMarked
package dev.tulle.controller.translate;

import org.jspecify.annotations.NullMarked;
