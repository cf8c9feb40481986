package org.sluice.wire;

import java.util.List;

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

    void encode(PayloadWriter out) {
        out.u8(server).u8(client).u8(serverAddress).u8(clientAddress);
    }

    static Rail decode(PayloadReader in, List<RemoteNic> server, List<RemoteNic> client) {
        int s = in.within(in.u8(), 0, server.size() - 1, "server NIC");
        int c = in.within(in.u8(), 0, client.size() - 1, "client NIC");
        int x = in.within(in.u8(), 0, last(server.get(s)), "address of a server NIC");
        return new Rail(s, c, x, in.within(in.u8(), 0, last(client.get(c)), "address of a client NIC"));
    }

    private static int last(RemoteNic nic) {
        return Math.max(0, nic.addresses().size() - 1);
    }
}
