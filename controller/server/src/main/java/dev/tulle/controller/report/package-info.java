/** Ten minutes of what the proxies saw, in bounded memory: traffic by edge, and the newest denials. */
@NullMarked
package dev.tulle.controller.report;

import org.jspecify.annotations.NullMarked;
