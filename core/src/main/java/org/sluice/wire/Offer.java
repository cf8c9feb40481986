package org.sluice.wire;

import java.util.ArrayList;
import java.util.List;

/**
 * What the client proposes for a link; its word stands unless the server's user insisted on another.
 *
 * @param gpu the client's GPU
 * @param together links that the client makes at once and that stand or fall together, 0 for one alone
 * @param channels channels in each direction that is used
 * @param duplex whether there are channels from the server to the client as well
 * @param near bit <i>n</i>: the client's NIC <i>n</i> hangs on its GPU's NUMA node
 * @param rails what joins the two nodes
 * @param proven how many of the rails have been tried and work: the first ones. The others ought to, and do not now
 * @param note what the client's program tells the server's; not looked at here
 */
public record Offer(
        int gpu,
        int together,
        int channels,
        boolean duplex,
        boolean roundRobin,
        int window,
        long chunkBytes,
        long near,
        List<Rail> rails,
        int proven,
        byte[] note) {
    public static final int MOST_NOTE = 4 << 10;
    public static final int MOST_CHANNELS = 64;
    public static final int MOST_WINDOW = 1024;
    public static final int MOST_GPUS = 1024;
    public static final int LEAST_CHUNK = 4 << 10;
    public static final int MOST_CHUNK = 1 << 30;

    /** One for each NIC of either side. */
    public static final int MOST_RAILS = 2 * RemoteNic.MOST_NICS;

    static final int MOST_TRANSPORT = 64;

    public Offer {
        rails = List.copyOf(rails);
    }

    public byte[] encode() {
        PayloadWriter out = new PayloadWriter()
                .u16(gpu)
                .u16(together)
                .u16(channels)
                .u8(duplex ? 1 : 0)
                .u8(roundRobin ? 1 : 0)
                .u16(window)
                .u64(chunkBytes)
                .u64(near)
                .u8(rails.size())
                .u8(proven);
        rails.forEach(r -> r.encode(out));
        return out.bytes(note).toBytes();
    }

    /** @param server this side's NICs @param client the NICs of who sent it */
    public static Offer decode(byte[] payload, List<RemoteNic> server, List<RemoteNic> client) {
        PayloadReader in = new PayloadReader(FrameType.OFFER, payload);
        int gpu = in.within(in.u16(), 0, MOST_GPUS - 1, "GPU");
        int together = in.within(in.u16(), 0, MOST_GPUS, "GPU count");
        int channels = in.within(in.u16(), 1, MOST_CHANNELS, "channel count");
        boolean duplex = in.within(in.u8(), 0, 1, "duplex flag") == 1;
        boolean roundRobin = in.within(in.u8(), 0, 1, "striping") == 1;
        int window = in.within(in.u16(), 1, MOST_WINDOW, "window");
        long chunk = in.within((int) Math.min(in.u64(), Integer.MAX_VALUE), LEAST_CHUNK, MOST_CHUNK, "chunk size");
        long near = in.u64();
        int count = in.within(in.u8(), 1, MOST_RAILS, "rail count");
        int proven = in.within(in.u8(), 1, count, "count of proven rails");
        List<Rail> rails = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            rails.add(Rail.decode(in, server, client));
        }
        byte[] note = in.bytes(MOST_NOTE);
        in.end();
        return new Offer(gpu, together, channels, duplex, roundRobin, window, chunk, near, rails, proven, note);
    }
}
