/** {@code sluice daemon}: one node for other local processes. */
@NullMarked
package org.sluice.cli.daemon;

import org.jspecify.annotations.NullMarked;
