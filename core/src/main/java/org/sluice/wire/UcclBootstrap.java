package org.sluice.wire;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.sluice.ProtocolException;
import org.sluice.spi.Transport;

/**
 * UCCL's bootstrap: the server sends u32 count in its own byte order (little-endian on every machine that has TCPX) and count ×
 * 128 raw bytes, and that is all.
 */
public final class UcclBootstrap {
    /** UCCL's client refuses more. */
    private static final int MOST_CHANNELS = 64;

    private UcclBootstrap() {}

    public static void send(SocketChannel to, List<byte[]> handles) throws IOException {
        ByteBuffer out = ByteBuffer.allocate(4 + handles.size() * Transport.MAX_HANDLE_BYTES)
                .order(ByteOrder.LITTLE_ENDIAN);
        out.putInt(handles.size());
        for (byte[] h : handles) {
            out.put(Arrays.copyOf(h, Transport.MAX_HANDLE_BYTES));
        }
        out.flip();
        while (out.hasRemaining()) {
            to.write(out);
        }
    }

    public static List<byte[]> receive(FrameSocket from) throws IOException {
        int count = ByteBuffer.wrap(from.readFully(4))
                .order(ByteOrder.LITTLE_ENDIAN)
                .getInt();
        if (count < 1 || count > MOST_CHANNELS) {
            throw new ProtocolException("the peer " + from.peer() + " announced " + Integer.toUnsignedString(count)
                    + " channel handles, allowed are 1 to " + MOST_CHANNELS + "; does it speak --bootstrap uccl?");
        }
        List<byte[]> handles = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            handles.add(from.readFully(Transport.MAX_HANDLE_BYTES));
        }
        return handles;
    }
}
