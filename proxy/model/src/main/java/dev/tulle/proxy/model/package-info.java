/**
 * What a proxy can be told and what it answers: the values of the contract between controller and proxy, and their JSON codec.
 *
 * <p>The proxy owns this contract; the controller speaks it. All values are immutable; lists and maps are ordered, so the same
 * mesh gives the same bytes.
 */
@NullMarked
package dev.tulle.proxy.model;

import org.jspecify.annotations.NullMarked;
