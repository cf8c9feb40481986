/** {@code sluice matrix}: every pair of nodes measured, and what stands out named. */
@NullMarked
package org.sluice.cli.matrix;

import org.jspecify.annotations.NullMarked;
