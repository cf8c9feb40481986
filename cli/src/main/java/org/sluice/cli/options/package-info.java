/** Options that several commands share, and what they make of a node, a plan and its watching. */
@NullMarked
package org.sluice.cli.options;

import org.jspecify.annotations.NullMarked;
