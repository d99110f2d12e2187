/** Load through a whole small mesh inside one process, from which the JVM learns what to keep for the next start. */
@NullMarked
package dev.tulle.proxy.rehearsal;

import org.jspecify.annotations.NullMarked;
