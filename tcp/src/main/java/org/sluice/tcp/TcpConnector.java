package org.sluice.tcp;

import java.io.IOException;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;
import org.sluice.linux.LinuxException;
import org.sluice.linux.TcpSocket;
import org.sluice.spi.Connector;
import org.sluice.spi.SendChannel;
import org.sluice.spi.TransportException;

/** A sending channel on its way: each of its connections connects, greets and is welcomed, all side by side. */
final class TcpConnector implements Connector {
    private enum Step {
        CONNECTING,
        GREETING,
        AWAITING_WELCOME,
        WELCOME
    }

    private final Endpoint endpoint;
    private final Handle handle;
    private final InetSocketAddress peer;
    private final TcpSocket[] sockets;
    private final Step[] steps;
    private final int[] progress;
    private final byte[][] answers;
    private boolean handedOut;

    TcpConnector(Endpoint endpoint, Handle handle) throws TransportException {
        if (endpoint.options().encryption() && !handle.encrypted()) {
            throw new TransportException("this side encrypts its channels and the peer does not; set the tcp option"
                    + " encryption=aes-gcm on both");
        }
        this.endpoint = endpoint;
        this.handle = handle;
        this.peer = handle.from(endpoint.address());
        int count = handle.sockets();
        this.sockets = new TcpSocket[count];
        this.steps = new Step[count];
        this.progress = new int[count];
        this.answers = new byte[count][Greeting.WELCOME_BYTES];
        try {
            for (int i = 0; i < count; i++) {
                TcpSocket s = TcpSocket.open(peer.getAddress());
                sockets[i] = s;
                s.bindSource(endpoint.address());
                endpoint.suit(s, peer.getAddress());
                steps[i] = s.connect(peer) ? Step.GREETING : Step.CONNECTING;
            }
        } catch (LinuxException e) {
            close();
            throw broken(e);
        }
        endpoint.open().add(this);
    }

    @Override
    public @Nullable SendChannel connect() throws TransportException {
        boolean all = true;
        try {
            for (int i = 0; i < sockets.length; i++) {
                advance(i);
                all &= steps[i] == Step.WELCOME;
            }
            return all ? channel() : null;
        } catch (IOException e) {
            throw broken(e);
        }
    }

    private void advance(int i) throws IOException {
        TcpSocket s = sockets[i];
        if (steps[i] == Step.CONNECTING && s.finishConnect(peer)) {
            steps[i] = Step.GREETING;
        }
        if (steps[i] == Step.GREETING) {
            progress[i] += s.sendNow(Greeting.encode(handle.token(), i), progress[i], Greeting.BYTES - progress[i]);
            if (progress[i] == Greeting.BYTES) {
                steps[i] = Step.AWAITING_WELCOME;
                progress[i] = 0;
            }
        }
        if (steps[i] == Step.AWAITING_WELCOME) {
            int n = s.receiveNow(answers[i], progress[i]);
            if (n < 0) {
                throw new IOException("the peer did not welcome the connection");
            }
            progress[i] += n;
            if (progress[i] == Greeting.WELCOME_BYTES) {
                if (!Greeting.isWelcome(answers[i])) {
                    throw new IOException("the peer answered the greeting with something else");
                }
                steps[i] = Step.WELCOME;
            }
        }
    }

    private SendChannel channel() throws IOException {
        SendLane[] lanes = new SendLane[sockets.length];
        for (int i = 0; i < lanes.length; i++) {
            lanes[i] = new SendLane(
                    sockets[i],
                    endpoint.threads(true),
                    endpoint.description(true, sockets[i].localAddress(), sockets[i].peerAddress()),
                    endpoint.context().doorbell(),
                    endpoint.options().checksum(),
                    endpoint.options().drill(),
                    endpoint.seal(handle, i));
        }
        handedOut = true;
        String description = endpoint.description(true, sockets[0].localAddress(), sockets[0].peerAddress());
        SendChannel channel = new TcpSendChannel(lanes, description, endpoint.open());
        endpoint.open().add(channel);
        return channel;
    }

    private TransportException broken(IOException e) {
        return new TransportException(
                endpoint.nic().name() + " " + endpoint.address().getHostAddress() + " > " + TcpSocket.text(peer) + ": "
                        + e.getMessage(),
                e);
    }

    @Override
    public void close() {
        endpoint.open().remove(this);
        if (!handedOut) {
            for (TcpSocket s : sockets) {
                if (s != null) {
                    s.close();
                }
            }
        }
    }
}
