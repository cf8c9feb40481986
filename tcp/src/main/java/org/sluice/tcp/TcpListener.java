package org.sluice.tcp;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.SecureRandom;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;
import org.sluice.linux.LinuxException;
import org.sluice.linux.TcpSocket;
import org.sluice.spi.Listener;
import org.sluice.spi.ReceiveChannel;
import org.sluice.spi.TransportException;

/**
 * Waits at the {@link Doors} for the connections of one channel. Who comes has shown the channel's token before it is anything but a
 * descriptor.
 */
final class TcpListener implements Listener {
    private static final SecureRandom RANDOM = new SecureRandom();

    /** A connection with its greeting. */
    private record Guest(TcpSocket socket, byte[] greeting) {}

    private final Endpoint endpoint;
    private final Handle handle;
    private final Queue<Guest> guests = new ConcurrentLinkedQueue<>();
    private final @Nullable TcpSocket[] sockets;
    private volatile boolean closed;
    private boolean handedOut;

    TcpListener(Endpoint endpoint, int socketCount) {
        this.endpoint = endpoint;
        this.sockets = new TcpSocket[socketCount];
        byte[] token = new byte[Handle.TOKEN_BYTES];
        RANDOM.nextBytes(token);
        InetSocketAddress address =
                new InetSocketAddress(endpoint.address(), endpoint.doors().port());
        this.handle = new Handle(
                address,
                endpoint.doors().herePort(),
                token,
                socketCount,
                endpoint.options().encryption());
        endpoint.doors().guests().expect(token, this::welcome);
        endpoint.open().add(this);
    }

    /** On the doors' thread: the agent takes it from the queue. */
    private @Nullable Visit welcome(TcpSocket socket, byte[] greeting, int nic) {
        guests.add(new Guest(socket, greeting.clone()));
        if (closed) {
            dismissGuests();
        }
        return null;
    }

    @Override
    public byte[] handle() {
        return handle.encode();
    }

    @Override
    public @Nullable ReceiveChannel accept() throws TransportException {
        for (Guest g = guests.poll(); g != null; g = guests.poll()) {
            seat(g);
        }
        for (TcpSocket s : sockets) {
            if (s == null) {
                return null;
            }
        }
        try {
            return channel();
        } catch (IOException e) {
            throw broken(e);
        }
    }

    private void seat(Guest guest) {
        TcpSocket s = guest.socket;
        int which = Greeting.socket(guest.greeting, handle.token(), sockets.length);
        if (which < 0 || sockets[which] != null) {
            s.close();
            return;
        }
        try {
            Endpoint.suitAccepted(s);
            byte[] welcome = Greeting.welcome();
            if (s.sendNow(welcome, 0, welcome.length) == welcome.length) {
                sockets[which] = s;
                return;
            }
        } catch (LinuxException e) {
            // it has left already
        }
        s.close(); // eight bytes fit the buffer of a fresh connection, or it is none
    }

    private ReceiveChannel channel() throws IOException {
        ReceiveLane[] lanes = new ReceiveLane[sockets.length];
        for (int i = 0; i < lanes.length; i++) {
            TcpSocket s = socket(i);
            lanes[i] = new ReceiveLane(
                    s,
                    endpoint.threads(false),
                    description(s),
                    endpoint.context().doorbell(),
                    endpoint.seal(handle, i));
        }
        handedOut = true;
        ReceiveChannel channel = new TcpReceiveChannel(lanes, description(socket(0)), endpoint.open());
        endpoint.open().add(channel);
        return channel;
    }

    private TcpSocket socket(int i) {
        TcpSocket s = sockets[i];
        if (s == null) {
            throw new IllegalStateException("socket " + i + " is not there");
        }
        return s;
    }

    private String description(TcpSocket s) throws LinuxException {
        return endpoint.description(false, s.localAddress(), s.peerAddress());
    }

    private TransportException broken(IOException e) {
        InetAddress address = endpoint.address();
        return new TransportException(
                endpoint.nic().name() + " " + address.getHostAddress() + ": " + e.getMessage(), e);
    }

    private void dismissGuests() {
        for (Guest g = guests.poll(); g != null; g = guests.poll()) {
            g.socket.close();
        }
    }

    @Override
    public void close() {
        endpoint.open().remove(this);
        endpoint.doors().guests().forget(handle.token());
        closed = true;
        dismissGuests();
        if (!handedOut) {
            for (TcpSocket s : sockets) {
                if (s != null) {
                    s.close();
                }
            }
        }
    }
}
