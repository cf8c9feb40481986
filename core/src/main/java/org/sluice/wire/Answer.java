package org.sluice.wire;

import java.util.ArrayList;
import java.util.List;
import org.sluice.spi.Transport;

/**
 * What the server agrees to.
 *
 * @param gpu the server's GPU
 * @param window the window both use
 * @param rails the rail of each channel, for both directions, by its place in the offer
 * @param handles where the client's sending channels connect to
 */
public record Answer(int gpu, int window, List<Integer> rails, List<byte[]> handles) {
    public Answer {
        rails = List.copyOf(rails);
    }

    public byte[] encode() {
        PayloadWriter out = new PayloadWriter().u16(gpu).u16(window).u8(rails.size());
        rails.forEach(out::u8);
        return out.raw(encodeHandles(handles)).toBytes();
    }

    /** @param offered how many rails the offer had */
    public static Answer decode(byte[] payload, int offered) {
        PayloadReader in = new PayloadReader(FrameType.ANSWER, payload);
        int gpu = in.within(in.u16(), 0, Offer.MOST_GPUS - 1, "GPU");
        int window = in.within(in.u16(), 1, Offer.MOST_WINDOW, "window");
        int count = in.within(in.u8(), 1, Offer.MOST_CHANNELS, "channel count");
        List<Integer> rails = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            rails.add(in.within(in.u8(), 0, offered - 1, "rail"));
        }
        List<byte[]> handles = decodeHandles(in);
        in.end();
        return new Answer(gpu, window, rails, handles);
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
