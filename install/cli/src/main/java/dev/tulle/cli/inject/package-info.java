/** Manifests with proxies put in or taken out, and everything else as its author wrote it: pure, from text to text. */
@NullMarked
package dev.tulle.cli.inject;

import org.jspecify.annotations.NullMarked;
