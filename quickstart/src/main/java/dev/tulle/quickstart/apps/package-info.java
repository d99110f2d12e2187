/** The applications of the quickstart: a small shop, a thief, and the customers' load; they know nothing of the mesh. */
@NullMarked
package dev.tulle.quickstart.apps;

import org.jspecify.annotations.NullMarked;
