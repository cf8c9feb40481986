/** One node and many peers: what links cost, and what they carry together. */
@NullMarked
package org.sluice.bench.peers;

import org.jspecify.annotations.NullMarked;
