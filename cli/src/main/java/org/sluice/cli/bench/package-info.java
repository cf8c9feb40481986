/** {@code sluice bench}: sizes and settings, measured. */
@NullMarked
package org.sluice.cli.bench;

import org.jspecify.annotations.NullMarked;
