package org.sluice.tcp.survive;

import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A client that speaks the protocol of {@code docs/protocol.md} by hand, so that it can do what no Sluice sender does. Without a
 * secret; two channels, on lo1 and lo2, from it to the server.
 */
final class ByHand implements AutoCloseable {
    static final int HELLO = 1;
    static final int OFFER = 3;
    static final int ANSWER = 4;
    static final int HANDLES = 5;
    static final int READY = 6;
    static final int OPEN = 16;
    static final int GRANT = 19;
    static final int LANDED = 20;
    static final int CHANNEL_DOWN = 22;
    static final int PING = 23;
    static final int PONG = 28;
    private static final int FRAME_HEAD = 40;

    /** A frame that came. */
    record Frame(int type, ByteBuffer payload) {}

    private final Socket control;
    private final DataInputStream in;
    /** The connection of each channel. */
    final List<Socket> channels = new ArrayList<>();

    ByHand(int port, long chunkBytes) throws IOException {
        control = new Socket(InetAddress.getLoopbackAddress(), port);
        in = new DataInputStream(control.getInputStream());
        say(HELLO, bytes(72).put(0, (byte) 1));
        expect(HELLO);
        ByteBuffer offer =
                bytes(256).putShort((short) 0).putShort((short) 2).put((byte) 0).put((byte) 0);
        text(offer.putShort((short) 4).putLong(chunkBytes), "tcp").put((byte) 2);
        for (int nic = 1; nic <= 2; nic++) {
            text(text(offer, "lo" + nic).put((byte) 0).put((byte) 1), "127.0.0." + nic + "/8");
        }
        say(OFFER, offer.putShort((short) 0).flip());
        ByteBuffer answer = expect(ANSWER).position(4);
        answer.position(5 + 2 * answer.get());
        int nics = answer.get();
        for (int n = 0; n < nics; n++) {
            skip(answer);
            answer.get();
            for (int a = answer.get(); a > 0; a--) {
                skip(answer);
            }
        }
        int handles = answer.get();
        say(HANDLES, bytes(1));
        for (int h = 0; h < handles; h++) {
            ByteBuffer handle = answer.slice(answer.position() + 2, 44).order(ByteOrder.LITTLE_ENDIAN);
            skip(answer);
            byte[] ip = new byte[4];
            handle.get(12, ip);
            Socket s = new Socket(InetAddress.getByAddress(ip), handle.getInt(8));
            byte[] token = new byte[16];
            handle.get(28, token);
            s.getOutputStream()
                    .write(array(bytes(24).put(ascii("SLTG")).putInt(1).put(token)));
            s.getInputStream().readNBytes(8);
            channels.add(s);
        }
        say(READY, bytes(0));
        expect(READY);
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static ByteBuffer bytes(int count) {
        return ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static ByteBuffer text(ByteBuffer out, String text) {
        return out.putShort((short) text.length()).put(ascii(text));
    }

    private static byte[] array(ByteBuffer written) {
        byte[] array = new byte[written.flip().remaining()];
        written.get(array);
        return array;
    }

    private static void skip(ByteBuffer in) {
        int length = in.getShort();
        in.position(in.position() + length);
    }

    private void say(int type, ByteBuffer payload) throws IOException {
        ByteBuffer frame = bytes(12 + payload.remaining());
        frame.put(ascii("SLCE")).put((byte) 1).put((byte) type).putShort((short) 0);
        control.getOutputStream().write(array(frame.putInt(payload.remaining()).put(payload)));
    }

    void open(long id, long length) throws IOException {
        say(OPEN, bytes(16).putLong(id).putLong(length).flip());
    }

    void pong() throws IOException {
        say(PONG, bytes(0));
    }

    /** The next frame, whatever it is. */
    Frame next() throws IOException {
        byte[] head = new byte[12];
        in.readFully(head);
        byte[] payload =
                new byte[ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN).getInt(8)];
        in.readFully(payload);
        return new Frame(head[5], ByteBuffer.wrap(payload).order(ByteOrder.LITTLE_ENDIAN));
    }

    private ByteBuffer expect(int type) throws IOException {
        Frame frame = next();
        if (frame.type != type) {
            throw new IOException("frame " + frame.type + " came, expected was " + type + ": "
                    + StandardCharsets.UTF_8.decode(frame.payload));
        }
        return frame.payload;
    }

    /** A chunk as it is on the wire. */
    static byte[] chunk(long id, long offset, byte[] payload) {
        ByteBuffer frame = bytes(FRAME_HEAD + payload.length).put(ascii("SLTF")).putInt(1);
        frame.putLong(id).putLong(offset).putLong(payload.length).putLong(0);
        return array(frame.put(payload));
    }

    @Override
    public void close() throws IOException {
        for (Socket s : channels) {
            s.close();
        }
        control.close();
    }
}
