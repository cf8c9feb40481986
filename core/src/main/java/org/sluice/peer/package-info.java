/** Nodes find and keep each other: listening, making links and their channels, repair, heartbeats. */
@NullMarked
package org.sluice.peer;

import org.jspecify.annotations.NullMarked;
