package org.sluice.tcp;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.sluice.linux.PollSet;
import org.sluice.linux.TcpSocket;

/** The listening side of a proof: says by which NIC the try came in, then sends back what comes, up to {@link Proof#BYTES}. */
final class ProofEcho implements Visit {
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final TcpSocket socket;
    private final AtomicInteger echoes;
    private final long endsAt = System.nanoTime() + PATIENCE_NANOS;
    private final byte[] bytes = new byte[Proof.WELCOME_BYTES + Proof.BYTES];
    private int filled;
    private int sent;

    /** @param echoes how many there are, this one counted already */
    ProofEcho(TcpSocket socket, int nic, AtomicInteger echoes) {
        this.socket = socket;
        this.echoes = echoes;
        byte[] welcome = Proof.welcome(nic);
        System.arraycopy(welcome, 0, bytes, 0, welcome.length);
        filled = welcome.length;
    }

    @Override
    public TcpSocket socket() {
        return socket;
    }

    @Override
    public short events() {
        return sent < filled ? (short) (PollSet.READ | PollSet.WRITE) : PollSet.READ;
    }

    @Override
    public long endsAt() {
        return endsAt;
    }

    @Override
    public boolean turn() throws IOException {
        if (filled < bytes.length) {
            int n = socket.receiveNow(bytes, filled);
            if (n < 0) {
                end("the peer has seen enough");
                return true;
            }
            filled += n;
        } else if (sent == filled && socket.receiveNow(new byte[1], 0) != 0) {
            end("done"); // its end, or a byte too many
            return true;
        }
        if (sent < filled) {
            sent += socket.sendNow(bytes, sent, filled - sent);
        }
        return false;
    }

    @Override
    public void end(String why) {
        echoes.decrementAndGet();
        socket.close();
    }
}
