/** The CUDA memory backend: the driver API through java.lang.foreign. */
@NullMarked
package org.sluice.cuda;

import org.jspecify.annotations.NullMarked;
