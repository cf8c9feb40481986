package org.sluice.tcp;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.sluice.linux.LinuxException;
import org.sluice.linux.PollSet;
import org.sluice.linux.TcpSocket;
import org.sluice.spi.RailProver.Outcome;

/** The connecting side of a proof. */
final class ProofTry implements Visit {
    /** Longer than the second after which the kernel repeats a lost connection request, and than a slow way takes for the bytes. */
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(3);

    private static final int ECONNREFUSED = 111;
    private static final int ECONNRESET = 104;

    private final TcpSocket socket;
    private final InetSocketAddress peer;
    private final Consumer<Outcome> told;
    private final byte[] out;
    private final byte[] in = new byte[Proof.WELCOME_BYTES + Proof.BYTES];
    private final long endsAt = System.nanoTime() + PATIENCE_NANOS;
    private boolean connected;
    private int sent;
    private int received;

    private ProofTry(TcpSocket socket, InetSocketAddress peer, byte[] token, Consumer<Outcome> told) {
        this.socket = socket;
        this.peer = peer;
        this.told = told;
        this.out = Proof.afterGreeting(token);
    }

    /**
     * Starts one.
     *
     * @param device to hold the connection to; null for none
     */
    static ProofTry start(
            InetAddress own, @Nullable String device, InetSocketAddress peer, byte[] token, Consumer<Outcome> told)
            throws LinuxException {
        TcpSocket s = TcpSocket.open(own);
        try {
            s.bindSource(own);
            if (device != null) {
                boolean ignored = s.options()
                        .bindToDevice(device); // without the right to, the source address alone chooses the NIC
            }
            ProofTry t = new ProofTry(s, peer, token, told);
            t.connected = s.connect(peer);
            return t;
        } catch (LinuxException e) {
            s.close();
            throw e;
        }
    }

    @Override
    public TcpSocket socket() {
        return socket;
    }

    @Override
    public short events() {
        return !connected || sent < out.length ? (short) (PollSet.READ | PollSet.WRITE) : PollSet.READ;
    }

    @Override
    public long endsAt() {
        return endsAt;
    }

    @Override
    public boolean turn() throws IOException {
        try {
            connected = connected || socket.finishConnect(peer);
            if (!connected) {
                return false;
            }
            if (sent < out.length) {
                sent += socket.sendNow(out, sent, out.length - sent);
            }
            int n = socket.receiveNow(in, received);
            if (n < 0) {
                end("is closed at once: who listens there is not this peer");
                return true;
            }
            received += n;
        } catch (LinuxException e) {
            end(why(e));
            return true;
        }
        if (received < in.length) {
            return false;
        }
        boolean whole = Proof.isWhole(in);
        socket.close();
        told.accept(
                whole
                        ? new Outcome.Proven(Proof.nic(in))
                        : new Outcome.Failed("sends back other bytes than were sent"));
        return true;
    }

    /** The answer of a kernel that knows the address and has no door on the NIC it was asked by. */
    private static String why(LinuxException e) {
        return switch (e.errno()) {
            case ECONNREFUSED, ECONNRESET ->
                "refuses (errno " + e.errno()
                        + "): nobody listens there, a firewall says no, or ARP for that address was"
                        + " answered by another NIC (sysctl net.ipv4.conf.all.arp_ignore=1 on both hosts)";
            default -> "cannot be reached: " + e.getMessage();
        };
    }

    @Override
    public void end(String why) {
        socket.close();
        told.accept(new Outcome.Failed(System.nanoTime() - endsAt < 0 ? why : overdue()));
    }

    private String overdue() {
        long seconds = TimeUnit.NANOSECONDS.toSeconds(PATIENCE_NANOS);
        return connected && sent >= Greeting.BYTES
                ? "answers, but only " + Math.max(0, received - Proof.WELCOME_BYTES) + " of " + Proof.BYTES
                        + " bytes came back within " + seconds
                        + " s: do packets as large as this NIC's MTU get through?"
                : "does not answer within " + seconds + " s";
    }
}
