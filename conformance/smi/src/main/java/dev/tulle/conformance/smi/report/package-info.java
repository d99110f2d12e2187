/** What came of a run, and its four forms: lines, JUnit XML, JSON and Markdown. */
@NullMarked
package dev.tulle.conformance.smi.report;

import org.jspecify.annotations.NullMarked;
