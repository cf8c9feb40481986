package org.sluice.wire;

/**
 * A pair of NICs that can reach each other, by their places in the two sides' lists.
 *
 * @param server place in the server's list
 * @param client place in the client's list
 */
public record Rail(int server, int client) {}
