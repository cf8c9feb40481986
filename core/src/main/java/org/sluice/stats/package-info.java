/** Counters that the data plane writes and everything else reads. */
@NullMarked
package org.sluice.stats;

import org.jspecify.annotations.NullMarked;
