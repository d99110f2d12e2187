/** The sentences of the SMI specifications that say what a mesh does, each a case of its own. */
@NullMarked
package dev.tulle.conformance.smi.sentences;

import org.jspecify.annotations.NullMarked;
