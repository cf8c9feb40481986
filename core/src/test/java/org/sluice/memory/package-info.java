/** A transport inside one process, for tests of the engine with real threads. */
@NullMarked
package org.sluice.memory;

import org.jspecify.annotations.NullMarked;
