/** What {@code bench/gpu} runs on real GPUs: programs that print one JSON object a line. */
@NullMarked
package org.sluice.bench.gpu;

import org.jspecify.annotations.NullMarked;
