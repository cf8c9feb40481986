package org.sluice.wire;

import java.util.ArrayList;
import java.util.List;
import org.sluice.spi.Transport;

/**
 * What the server agrees to.
 *
 * @param gpu the server's GPU
 * @param window the window both use
 * @param rails the rail of each channel, for both directions
 * @param nics the server's NICs
 * @param handles where the client's sending channels connect to
 */
public record Answer(int gpu, int window, List<Rail> rails, List<RemoteNic> nics, List<byte[]> handles) {
    public byte[] encode() {
        PayloadWriter out = new PayloadWriter().u16(gpu).u16(window).u8(rails.size());
        for (Rail r : rails) {
            out.u8(r.server()).u8(r.client()).u8(r.serverAddress()).u8(r.clientAddress());
        }
        RemoteNic.encodeAll(out, nics);
        return out.raw(encodeHandles(handles)).toBytes();
    }

    public static Answer decode(byte[] payload, List<RemoteNic> clientNics) {
        PayloadReader in = new PayloadReader(FrameType.ANSWER, payload);
        int gpu = in.within(in.u16(), 0, Offer.MOST_GPUS - 1, "GPU");
        int window = in.within(in.u16(), 1, Offer.MOST_WINDOW, "window");
        int count = in.within(in.u8(), 1, Offer.MOST_CHANNELS, "rail count");
        List<Rail> rails = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            int server = in.within(in.u8(), 0, RemoteNic.MOST_NICS - 1, "server NIC");
            int client = in.within(in.u8(), 0, clientNics.size() - 1, "client NIC");
            int serverAddress = in.within(in.u8(), 0, RemoteNic.MOST_ADDRESSES - 1, "address of a server NIC");
            rails.add(new Rail(server, client, serverAddress, address(in, clientNics.get(client))));
        }
        List<RemoteNic> nics = RemoteNic.decodeAll(in);
        for (Rail r : rails) {
            in.within(r.server(), 0, nics.size() - 1, "server NIC");
            int addresses = nics.get(r.server()).addresses().size();
            in.within(r.serverAddress(), 0, Math.max(0, addresses - 1), "address of a server NIC");
        }
        List<byte[]> handles = decodeHandles(in);
        in.end();
        return new Answer(gpu, window, rails, nics, handles);
    }

    private static int address(PayloadReader in, RemoteNic nic) {
        return in.within(in.u8(), 0, Math.max(0, nic.addresses().size() - 1), "address of a client NIC");
    }

    /** u8 count, then each handle with its length: also the whole payload of a HANDLES frame. */
    public static byte[] encodeHandles(List<byte[]> handles) {
        PayloadWriter out = new PayloadWriter().u8(handles.size());
        handles.forEach(out::bytes);
        return out.toBytes();
    }

    public static List<byte[]> decodeHandles(byte[] payload) {
        PayloadReader in = new PayloadReader(FrameType.HANDLES, payload);
        List<byte[]> handles = decodeHandles(in);
        in.end();
        return handles;
    }

    private static List<byte[]> decodeHandles(PayloadReader in) {
        int count = in.within(in.u8(), 0, Offer.MOST_CHANNELS, "handle count");
        List<byte[]> handles = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            handles.add(in.bytes(Transport.MAX_HANDLE_BYTES));
        }
        return handles;
    }
}
