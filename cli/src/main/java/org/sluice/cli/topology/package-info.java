/** The machine's GPUs, NICs and CPUs as a table, a document and a drawing. */
@NullMarked
package org.sluice.cli.topology;

import org.jspecify.annotations.NullMarked;
