/** Cases that pass, fail, are skipped, never begin and never end, for the tests of the suite itself. */
@NullMarked
package dev.tulle.conformance.smi.sample;

import org.jspecify.annotations.NullMarked;
