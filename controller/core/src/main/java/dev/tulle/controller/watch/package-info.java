/** Where objects come from: the seam {@link dev.tulle.controller.watch.ResourceSource} and a directory of YAML behind it. */
@NullMarked
package dev.tulle.controller.watch;

import org.jspecify.annotations.NullMarked;
