/** Who this proxy proves to be and whom it believes: keys, certificates, TLS contexts, enrollment and renewal. */
@NullMarked
package dev.tulle.proxy.identity;

import org.jspecify.annotations.NullMarked;
