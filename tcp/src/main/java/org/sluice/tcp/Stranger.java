package org.sluice.tcp;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.sluice.linux.PollSet;
import org.sluice.linux.TcpSocket;

/** Somebody who has connected and has not shown a token yet. Who shows none that is expected is sent away without a word. */
final class Stranger implements Visit {
    /** For 24 bytes that are sent as soon as the connection is there. */
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final TcpSocket socket;
    private final int nic;
    private final Guests guests;
    private final Consumer<Visit> next;
    private final byte[] greeting = new byte[Greeting.BYTES];
    private final long endsAt = System.nanoTime() + PATIENCE_NANOS;
    private int received;

    /** @param next is given what comes after the greeting */
    Stranger(TcpSocket socket, int nic, Guests guests, Consumer<Visit> next) {
        this.socket = socket;
        this.nic = nic;
        this.guests = guests;
        this.next = next;
    }

    @Override
    public TcpSocket socket() {
        return socket;
    }

    @Override
    public short events() {
        return PollSet.READ;
    }

    @Override
    public long endsAt() {
        return endsAt;
    }

    @Override
    public boolean turn() throws IOException {
        int n = socket.receiveNow(greeting, received);
        if (n < 0) {
            socket.close();
            return true;
        }
        received += n;
        if (received < Greeting.BYTES) {
            return false;
        }
        Guests.Host host = guests.host(greeting);
        if (host == null) {
            socket.close();
            return true;
        }
        Visit visit = host.welcome(socket, greeting, nic);
        if (visit != null) {
            next.accept(visit);
        }
        return true;
    }

    @Override
    public void end(String why) {
        socket.close();
    }
}
