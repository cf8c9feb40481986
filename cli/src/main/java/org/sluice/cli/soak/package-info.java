/** {@code sluice soak}: random messages under faults. */
@NullMarked
package org.sluice.cli.soak;

import org.jspecify.annotations.NullMarked;
