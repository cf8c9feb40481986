package org.sluice.control;

/**
 * A client that has said hello, proved itself where that is asked, and made its offer; the server has not answered yet.
 *
 * @param gpu the local GPU it wants
 */
record LinkRequest(int gpu, FrameSocket socket, Offer offer) {}
