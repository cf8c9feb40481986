/** Control connections inside one process: a {@link java.nio.channels.spi.SelectorProvider} whose sockets are no sockets of the kernel's. */
@NullMarked
package org.sluice.sockets;

import org.jspecify.annotations.NullMarked;
