/** Which CPUs the threads of a running node may use, who wanted it so, and where that is wrong. */
@NullMarked
package org.sluice.cli.affinity;

import org.jspecify.annotations.NullMarked;
