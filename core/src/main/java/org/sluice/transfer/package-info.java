/** The data plane: striping, windows, the send and receive pipelines and the agent that turns them. */
@NullMarked
package org.sluice.transfer;

import org.jspecify.annotations.NullMarked;
