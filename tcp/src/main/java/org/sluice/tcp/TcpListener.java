package org.sluice.tcp;

import java.io.IOException;
import java.net.InetAddress;
import java.security.SecureRandom;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import org.jspecify.annotations.Nullable;
import org.sluice.linux.LinuxException;
import org.sluice.linux.TcpSocket;
import org.sluice.spi.Listener;
import org.sluice.spi.ReceiveChannel;
import org.sluice.spi.TransportException;

/**
 * Waits on a port of its own for the connections of one channel. Who connects has to show the token before it is anything but a
 * descriptor; who does not is dropped, and the port is gone as soon as the channel is there.
 */
final class TcpListener implements Listener {
    private static final SecureRandom RANDOM = new SecureRandom();

    /** Connections that have not greeted yet. The oldest gives way: the right one greets as soon as it is connected. */
    private static final int MOST_STRANGERS = 64;

    /** Connections taken in one look, so that a flood of them does not hold the agent. */
    private static final int ACCEPTS_A_LOOK = 16;

    private static final class Stranger {
        final TcpSocket socket;
        final byte[] greeting = new byte[Greeting.BYTES];
        int received;

        Stranger(TcpSocket socket) {
            this.socket = socket;
        }
    }

    private final Endpoint endpoint;
    private final TcpSocket server;
    private final Handle handle;
    private final Deque<Stranger> strangers = new ArrayDeque<>();
    private final @Nullable TcpSocket[] sockets;
    private boolean handedOut;

    TcpListener(Endpoint endpoint, int socketCount) throws TransportException {
        this.endpoint = endpoint;
        this.sockets = new TcpSocket[socketCount];
        byte[] token = new byte[Handle.TOKEN_BYTES];
        RANDOM.nextBytes(token);
        TcpSocket s = null;
        try {
            s = endpoint.options().dataPorts().listen(endpoint.address(), socketCount + MOST_STRANGERS);
            this.handle = new Handle(
                    s.localAddress(), token, socketCount, endpoint.options().encryption());
        } catch (LinuxException e) {
            if (s != null) {
                s.close();
            }
            throw broken(e);
        }
        this.server = s;
        endpoint.open().add(this);
    }

    @Override
    public byte[] handle() {
        return handle.encode();
    }

    @Override
    public @Nullable ReceiveChannel accept() throws TransportException {
        try {
            for (int i = 0; i < ACCEPTS_A_LOOK; i++) {
                TcpSocket s = server.accept();
                if (s == null) {
                    break;
                }
                strangers.add(new Stranger(s));
                if (strangers.size() > MOST_STRANGERS) {
                    strangers.remove().socket.close();
                }
            }
        } catch (LinuxException e) {
            throw broken(e);
        }
        for (Iterator<Stranger> each = strangers.iterator(); each.hasNext(); ) {
            if (isSettled(each.next())) {
                each.remove();
            }
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

    /** Hears a stranger out. @return whether it is one no more: welcomed, or sent away */
    private boolean isSettled(Stranger stranger) {
        TcpSocket s = stranger.socket;
        try {
            int n = s.receiveNow(stranger.greeting, stranger.received);
            if (n < 0) {
                s.close();
                return true;
            }
            stranger.received += n;
            if (stranger.received < Greeting.BYTES) {
                return false;
            }
            int which = Greeting.socket(stranger.greeting, handle.token(), sockets.length);
            if (which < 0 || sockets[which] != null) {
                s.close();
                return true;
            }
            endpoint.suit(s, s.peerAddress().getAddress());
            byte[] welcome = Greeting.welcome();
            if (s.sendNow(welcome, 0) != welcome.length) {
                s.close(); // eight bytes fit the buffer of a fresh connection, or it is none
                return true;
            }
            sockets[which] = s;
            return true;
        } catch (IOException e) {
            s.close();
            return true;
        }
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

    @Override
    public void close() {
        endpoint.open().remove(this);
        server.close();
        strangers.forEach(s -> s.socket.close());
        strangers.clear();
        if (!handedOut) {
            for (TcpSocket s : sockets) {
                if (s != null) {
                    s.close();
                }
            }
        }
    }
}
