/**
 * A seeded, single-threaded simulation of the data plane: two engines, wires that misbehave, memory that watches who touches it.
 */
@NullMarked
package org.sluice.simulation;

import org.jspecify.annotations.NullMarked;
