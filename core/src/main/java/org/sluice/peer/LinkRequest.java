package org.sluice.peer;

import org.jspecify.annotations.Nullable;
import org.sluice.wire.FrameSocket;
import org.sluice.wire.LinkKey;
import org.sluice.wire.Offer;

/**
 * A client that has said hello, proved itself where that is asked, and made its offer; the server has not answered yet.
 *
 * @param gpu the local GPU it wants
 * @param key the link's, where there is a shared secret
 */
record LinkRequest(
        int gpu, FrameSocket socket, Offer offer, @Nullable LinkKey key) {}
