package org.sluice.wire;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.stream.Collectors;
import javax.net.ssl.SSLException;
import org.sluice.ErrorCode;
import org.sluice.LinkException;
import org.sluice.ProtocolException;
import org.sluice.Where;

/**
 * A control connection while it is being made: frames are read and written in turn, each wait up to the phase's deadline. It
 * takes no byte beyond the frame asked for, so that the {@link ControlConnection} can take the stream over.
 */
public final class FrameSocket implements AutoCloseable {
    private final ControlStream stream;
    private final Deadline deadline;
    private byte[] lastWritten = {};
    private byte[] lastRead = {};
    private int peerVersion = FrameType.VERSION;

    /** In the clear. */
    public FrameSocket(SocketChannel channel, Deadline deadline) throws IOException {
        this(new PlainStream(channel), deadline);
    }

    public FrameSocket(ControlStream stream, Deadline deadline) throws IOException {
        this.stream = stream;
        this.deadline = deadline;
        stream.socket().configureBlocking(true);
        stream.socket().setOption(StandardSocketOptions.TCP_NODELAY, true);
    }

    /** The same connection in another phase. */
    public FrameSocket until(Deadline other) throws IOException {
        return new FrameSocket(stream, other);
    }

    public ControlStream stream() {
        return stream;
    }

    public String peer() {
        return peer(stream.socket());
    }

    public Where where() {
        return Where.NOWHERE.phase(Where.Phase.BOOTSTRAP).peer(peer());
    }

    public static String peer(SocketChannel channel) {
        try {
            InetSocketAddress a = (InetSocketAddress) channel.getRemoteAddress();
            return a == null ? "unconnected" : a.getAddress().getHostAddress() + ":" + a.getPort();
        } catch (IOException e) {
            return "closed";
        }
    }

    public void write(FrameType type, byte[] payload) throws IOException {
        write(FrameType.VERSION, type, payload);
    }

    private void write(int version, FrameType type, byte[] payload) throws IOException {
        ByteBuffer frame =
                ByteBuffer.allocate(FrameType.HEADER_BYTES + payload.length).order(ByteOrder.LITTLE_ENDIAN);
        FrameHeader.write(frame, version, type, payload.length);
        frame.put(payload).flip();
        lastWritten = frame.array();
        // at most 64 KiB in a fresh connection: fits the socket's buffer, so a silent peer cannot hold the writer
        while (frame.hasRemaining()) {
            stream.write(frame);
        }
    }

    /** A frame that came. */
    public record Frame(FrameType type, byte[] payload) {}

    /** The next frame, which has to be of this type; a REFUSE is thrown as what it says. */
    public byte[] read(FrameType expected) throws IOException {
        return read(Set.of(expected)).payload();
    }

    /** The next frame, which has to be of one of these types; a REFUSE is thrown as what it says. */
    public Frame read(Set<FrameType> expected) throws IOException {
        byte[] head = readFully(FrameType.HEADER_BYTES);
        ByteBuffer header = ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN);
        int version = FrameHeader.version(header, 0);
        if (version >= FrameType.OLDEST_VERSION && version < FrameType.VERSION) {
            peerVersion = version;
        }
        FrameType type = FrameHeader.type(header, 0);
        byte[] payload = readFully(FrameHeader.payload(header, 0));
        if (type == FrameType.REFUSE) {
            throw new LinkException(ErrorCode.REFUSED, where(), "the peer refused: " + text(payload));
        }
        if (!expected.contains(type)) {
            throw new ProtocolException(
                    where(),
                    "the peer sent " + type + " where "
                            + expected.stream().map(FrameType::name).sorted().collect(Collectors.joining(" or "))
                            + " was expected");
        }
        lastRead = new byte[head.length + payload.length];
        System.arraycopy(head, 0, lastRead, 0, head.length);
        System.arraycopy(payload, 0, lastRead, head.length, payload.length);
        return new Frame(type, payload);
    }

    public byte[] readFully(int bytes) throws IOException {
        byte[] all = new byte[bytes];
        int have = 0;
        while (have < bytes) {
            int n;
            try {
                n = stream.await(all, have, bytes - have, deadline);
            } catch (SSLException e) {
                throw Tls.failure(
                        peer(), e); // what the peer makes of this side's certificate comes after the handshake
            } catch (SocketTimeoutException e) {
                throw new LinkException(
                        ErrorCode.UNREACHABLE,
                        where(),
                        "the peer was silent until the deadline of " + deadline.text(),
                        e);
            }
            if (n < 0) {
                throw new EOFException("the peer " + peer() + " closed the connection");
            }
            have += n;
        }
        return all;
    }

    /** Says why there will be no link, as well as it can be said: to an older node in the version that it reads. */
    public void refuse(String why) {
        byte[] bytes = why.getBytes(StandardCharsets.UTF_8);
        try {
            write(peerVersion, FrameType.REFUSE, bytes.length <= FrameType.REFUSE.most ? bytes : new byte[0]);
            stream.shutdownOutput();
        } catch (IOException e) {
            // the peer is gone, and with it who would read this
        }
    }

    /** The whole frame written last, header included. */
    public byte[] lastWritten() {
        return lastWritten;
    }

    public byte[] lastRead() {
        return lastRead;
    }

    /** Text of the peer's, made fit for a log line. */
    public static String text(byte[] payload) {
        return printable(new String(payload, StandardCharsets.UTF_8));
    }

    /** What the peer wrote, without what would break a line or a terminal. */
    public static String printable(String text) {
        return text.replaceAll("\\p{Cntrl}", "?");
    }

    @Override
    public void close() throws IOException {
        stream.close();
    }
}
