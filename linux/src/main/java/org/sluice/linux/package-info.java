/** NICs, PCI and NUMA topology, counters, CPU affinity and sockets: libc through java.lang.foreign. */
@NullMarked
package org.sluice.linux;

import org.jspecify.annotations.NullMarked;
