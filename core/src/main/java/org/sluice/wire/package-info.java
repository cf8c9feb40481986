/** Every byte of the control protocol: frames and their codecs, the handshake, TLS. */
@NullMarked
package org.sluice.wire;

import org.jspecify.annotations.NullMarked;
