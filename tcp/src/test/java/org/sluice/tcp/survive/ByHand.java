package org.sluice.tcp.survive;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A client that speaks the protocol of {@code docs/protocol.md} by hand, so that it can do what no Sluice sender does. Without a
 * secret; two channels, on lo1 and lo2, from it to the server.
 */
final class ByHand implements AutoCloseable {
    static final int HELLO = 1;
    static final int OFFER = 3;
    static final int IDENTITY = 9;
    static final int ANSWER = 4;
    static final int HANDLES = 5;
    static final int READY = 6;
    static final int OPEN = 16;
    static final int GRANT = 19;
    static final int LANDED = 20;
    static final int CHANNEL_DOWN = 22;
    static final int PING = 23;
    static final int PONG = 28;
    private static final int ERROR = 26;
    private static final int FRAME_HEAD = 40;
    private static final int DATA = 1;
    private static final int OPEN_CHANNEL = 2;
    private static final int OPENED = 1;
    private static final int RECORD_HEAD = 12;

    /** A frame that came. */
    record Frame(int type, ByteBuffer payload) {}

    private final Socket control;
    private DataInputStream in;

    /** The records of a link that is made; null before. */
    private @Nullable Records records;

    /** The connection of each channel. */
    final List<Socket> channels = new ArrayList<>();

    ByHand(int port, long chunkBytes) throws IOException {
        control = new Socket(InetAddress.getLoopbackAddress(), port);
        in = new DataInputStream(control.getInputStream());
        say(HELLO, bytes(72).put(0, (byte) 1));
        expect(HELLO);
        ByteBuffer self = bytes(256).putLong(1).putLong(2).putLong(0);
        text(text(text(self, "by hand"), "0").putShort((short) 1), "tcp").putShort((short) 0);
        self.put(new byte[16]).put((byte) 2);
        for (int nic = 1; nic <= 2; nic++) {
            text(text(self, "lo" + nic).putInt(0).put((byte) 0).put((byte) 1), "127.0.0." + nic + "/8");
        }
        say(IDENTITY, text(self, "").flip());
        expect(IDENTITY);
        ByteBuffer offer = bytes(256).putShort((short) 0).putShort((short) 0).putShort((short) 2);
        offer.put((byte) 0)
                .put((byte) 0)
                .putShort((short) 4)
                .putLong(chunkBytes)
                .putLong(0);
        offer.put((byte) 2).put((byte) 2).putInt(0x0000).putInt(0x0101); // lo1 to lo1, lo2 to lo2
        say(OFFER, offer.putShort((short) 0).flip());
        ByteBuffer answer = expect(ANSWER).position(4);
        answer.position(5 + answer.get());
        int handles = answer.get();
        say(HANDLES, bytes(1));
        for (int h = 0; h < handles; h++) {
            ByteBuffer handle = answer.slice(answer.position() + 2, 44).order(ByteOrder.LITTLE_ENDIAN);
            skip(answer);
            byte[] ip = new byte[4];
            handle.get(12, ip);
            Socket s = new Socket(InetAddress.getByAddress(ip), Short.toUnsignedInt(handle.getShort(10)));
            byte[] token = new byte[16];
            handle.get(28, token);
            s.getOutputStream()
                    .write(array(bytes(24).put(ascii("SLTG")).putInt(1).put(token)));
            s.getOutputStream()
                    .write(array(head(OPEN_CHANNEL, 0, 0, token.length).put(token)));
            byte[] reply = s.getInputStream().readNBytes(16);
            if (reply[5] != OPENED) {
                throw new IOException("the channel is not taken");
            }
            channels.add(s);
        }
        say(READY, bytes(0));
        expect(READY);
        records = new Records(in);
        in = new DataInputStream(records);
    }

    /** What comes on a link that is made: records, each with a head that says what the peer has taken. */
    private static final class Records extends InputStream {
        private final DataInputStream in;
        private int left;
        private long taken;

        Records(DataInputStream in) {
            this.in = in;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] into, int from, int length) throws IOException {
            while (left == 0) {
                byte[] head = new byte[RECORD_HEAD];
                in.readFully(head);
                left = ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN).getInt();
            }
            int n = in.read(into, from, Math.min(left, length));
            left -= Math.max(0, n);
            taken += Math.max(0, n);
            return n;
        }
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
        frame.put(ascii("SLCE")).put((byte) 2).put((byte) type).putShort((short) 0);
        byte[] whole = array(frame.putInt(payload.remaining()).put(payload));
        Records made = records;
        if (made != null) {
            whole = array(bytes(RECORD_HEAD + whole.length)
                    .putInt(whole.length)
                    .putLong(made.taken)
                    .put(whole));
        }
        control.getOutputStream().write(whole);
    }

    void open(long id, long length) throws IOException {
        say(
                OPEN,
                bytes(32)
                        .putLong(id)
                        .putLong(length)
                        .putLong(0)
                        .putInt(1 << 30)
                        .putInt(0)
                        .flip());
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
        if (head[5] == ERROR) {
            throw new IOException("the link was given up: " + new String(payload, StandardCharsets.UTF_8));
        }
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

    /** A chunk of the first channel of a connection, as it is on the wire. */
    static byte[] chunk(long id, long offset, byte[] payload) {
        return array(head(DATA, id, offset, payload.length).put(payload));
    }

    private static ByteBuffer head(int kind, long message, long offset, int length) {
        ByteBuffer frame = bytes(FRAME_HEAD + length).put(ascii("SLTF")).putInt(2 | (kind << 8));
        return frame.putLong(message).putLong(offset).putLong(length).putLong(0);
    }

    @Override
    public void close() throws IOException {
        for (Socket s : channels) {
            s.close();
        }
        control.close();
    }
}
