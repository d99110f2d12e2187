package dev.tulle.conformance.architecture.sample.loose;

/** Lives in a package without a row. */
interface Stray {}
