/** How fast it is: JMH benchmarks of the per-chunk path, and measurements in real processes. */
@NullMarked
package org.sluice.bench;

import org.jspecify.annotations.NullMarked;
