/** The host-GPU memory backend: plain memory in the place of a GPU's, the default where there is no CUDA. */
@NullMarked
package org.sluice.host;

import org.jspecify.annotations.NullMarked;
