/** What the API server asks before it stores an object: injection, validation, conversion. */
@NullMarked
package dev.tulle.controller.webhook;

import org.jspecify.annotations.NullMarked;
