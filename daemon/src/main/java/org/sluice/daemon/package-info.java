/** The daemon: local clients, their memory, links and requests. The protocol is in {@code docs/daemon.md}. */
@NullMarked
package org.sluice.daemon;

import org.jspecify.annotations.NullMarked;
