/** What other meshes' manifests become: pure, from text to text, with a word on each object. */
@NullMarked
package dev.tulle.cli.migrate;

import org.jspecify.annotations.NullMarked;
