package org.sluice.wire;

/**
 * Which GPU a client wants, said on a port that is the whole node's.
 *
 * @param gpu the server's number for it, from 0
 */
public record Target(int gpu) {
    public byte[] encode() {
        return new PayloadWriter().u16(gpu).u16(0).toBytes();
    }

    public static Target decode(byte[] payload) {
        PayloadReader in = new PayloadReader(FrameType.TARGET, payload);
        int gpu = in.within(in.u16(), 0, Offer.MOST_GPUS - 1, "GPU");
        in.within(in.u16(), 0, 0, "reserved field");
        in.end();
        return new Target(gpu);
    }
}
