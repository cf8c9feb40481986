/** NCCL net plugins as a transport, through java.lang.foreign. */
@NullMarked
package org.sluice.ncclnet;

import org.jspecify.annotations.NullMarked;
