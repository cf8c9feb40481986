/** The control plane: phases over all GPUs, the bootstrap in which a link is made, and the control connection that stays. */
@NullMarked
package org.sluice.control;

import org.jspecify.annotations.NullMarked;
