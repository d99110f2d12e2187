/** Config in, reports out: the stream to the controller, the file that may stand for it, and the tables now in force. */
@NullMarked
package dev.tulle.proxy.discovery;

import org.jspecify.annotations.NullMarked;
