package org.sluice.peer;

import org.sluice.wire.FrameSocket;
import org.sluice.wire.Introduction;
import org.sluice.wire.Offer;

/**
 * A client that has said hello, proved itself where that is asked, and made its offer; the server has not answered yet.
 *
 * @param gpu the local GPU it wants
 * @param introduction what the first words gave
 */
record LinkRequest(int gpu, FrameSocket socket, Offer offer, Introduction introduction) {}
