package org.sluice.tcp;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.sluice.spi.TransportException;

/**
 * What a listener tells the one who is to connect, as it travels in the bootstrap: 44 bytes, little-endian but for the address.
 *
 * @param address where it listens
 * @param herePort the port for those on the same host
 * @param token 16 random bytes; who does not present them is dropped
 * @param sockets connections that make the channel up, 1 to {@link #MOST_SOCKETS}
 * @param encrypted whether the listening side wants the channel encrypted
 */
record Handle(InetSocketAddress address, int herePort, byte[] token, int sockets, boolean encrypted) {
    static final int TOKEN_BYTES = 16;
    static final int MOST_SOCKETS = 16;

    /** {@code SLTH}, little-endian. */
    private static final int MAGIC = 0x48544C53;

    private static final int VERSION = 3;
    private static final int BYTES = 44;

    /**
     * Where this side connects to.
     *
     * @param own this side's address: a link-local one of the peer's is on the same device, whose number here the peer cannot know
     */
    InetSocketAddress from(InetAddress own) {
        InetAddress ip = address.getAddress();
        int port = Endpoint.isThisHost(ip) ? herePort : address.getPort();
        return new InetSocketAddress(TcpRailProver.near(ip, own), port);
    }

    byte[] encode() {
        byte[] ip = address.getAddress().getAddress();
        ByteBuffer out = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
        out.putInt(MAGIC).put((byte) VERSION).put((byte) sockets);
        out.put((byte) ip.length).put((byte) (encrypted ? 1 : 0));
        out.putShort((short) address.getPort()).putShort((short) herePort);
        out.put(ip).position(12 + 16);
        return out.put(token).array();
    }

    /** @throws TransportException when these bytes are no handle of this transport */
    static Handle decode(byte[] bytes) throws TransportException {
        // longer is allowed: the uccl bootstrap pads handles to 128 bytes
        if (bytes.length < BYTES) {
            throw new TransportException(
                    "the peer's channel handle has " + bytes.length + " bytes, expected were " + BYTES);
        }
        ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        if (in.getInt() != MAGIC || in.get() != VERSION) {
            throw new TransportException("the peer's channel handle is not one of the tcp transport, version " + VERSION
                    + "; do both sides use the same --transport and the same version of Sluice?");
        }
        int sockets = in.get();
        int length = in.get();
        int flags = in.get();
        int port = Short.toUnsignedInt(in.getShort());
        int herePort = Short.toUnsignedInt(in.getShort());
        if (sockets < 1
                || sockets > MOST_SOCKETS
                || (length != 4 && length != 16)
                || (flags & ~1) != 0
                || port == 0
                || herePort == 0) {
            throw new TransportException("the peer's channel handle is damaged: " + sockets + " sockets, an address of "
                    + length + " bytes, port " + port);
        }
        byte[] ip = new byte[length];
        in.get(ip).position(12 + 16);
        byte[] token = new byte[TOKEN_BYTES];
        in.get(token);
        try {
            InetSocketAddress address = new InetSocketAddress(InetAddress.getByAddress(ip), port);
            return new Handle(address, herePort, token, sockets, flags == 1);
        } catch (UnknownHostException e) {
            throw new AssertionError(e);
        }
    }
}
