/** A client of the Sluice daemon of this host: moves memory between hosts over every NIC at once. Begin with {@code SluiceClient}. */
@NullMarked
package org.sluice.client;

import org.jspecify.annotations.NullMarked;
