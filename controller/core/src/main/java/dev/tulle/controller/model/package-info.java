/** The assembled mesh: services, workloads, splits and access rules, with every reference resolved. */
@NullMarked
package dev.tulle.controller.model;

import org.jspecify.annotations.NullMarked;
