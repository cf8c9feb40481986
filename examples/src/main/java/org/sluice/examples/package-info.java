/** A complete sender and receiver. */
@NullMarked
package org.sluice.examples;

import org.jspecify.annotations.NullMarked;
