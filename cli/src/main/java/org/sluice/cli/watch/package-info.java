/**
 * Watching a run: what the engine counted beside what the kernel counted, over time, and everything that shows it (terminal,
 * page, Prometheus, CSV, verdicts).
 */
@NullMarked
package org.sluice.cli.watch;

import org.jspecify.annotations.NullMarked;
