package org.sluice.wire;

/**
 * A pair of NICs that can reach each other, by their places in the two sides' lists, and the addresses over which they do.
 *
 * @param server place in the server's list
 * @param client place in the client's list
 * @param serverAddress place in the addresses of the server's NIC; 0 where it tells none
 * @param clientAddress place in the addresses of the client's NIC; 0 where it tells none
 */
public record Rail(int server, int client, int serverAddress, int clientAddress) {
    /** This side's NIC. */
    public int nic(boolean asServer) {
        return asServer ? server : client;
    }

    /** This side's address on it. */
    public int address(boolean asServer) {
        return asServer ? serverAddress : clientAddress;
    }
}
