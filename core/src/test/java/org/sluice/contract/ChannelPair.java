package org.sluice.contract;

import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;
import org.sluice.UnpackMode;
import org.sluice.spi.Channel;
import org.sluice.spi.ChannelContext;
import org.sluice.spi.Connector;
import org.sluice.spi.Gpu;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.Listener;
import org.sluice.spi.Nic;
import org.sluice.spi.ReceiveChannel;
import org.sluice.spi.Registration;
import org.sluice.spi.ScatterList;
import org.sluice.spi.SendChannel;
import org.sluice.spi.Transport;
import org.sluice.spi.TransportException;
import org.sluice.spi.UnpackQueue;

/** Both ends of one channel, driven by one thread with the engine's habits: in order, gathering, consuming. */
final class ChannelPair implements AutoCloseable {
    final Nic nic;
    final SendChannel sender;
    final ReceiveChannel receiver;
    private final UnpackQueue unpack;
    private final Registration source;
    private final Registration target;
    private final long sourceAddress;
    private final long targetAddress;
    private final ArrayDeque<Posted> posted = new ArrayDeque<>();
    private long sendsPosted;
    private long sent;
    private long received;
    private long voided;

    private record Posted(long address, long bytes) {}

    private ChannelPair(Nic nic, SendChannel sender, ReceiveChannel receiver, Gpu gpu, GpuMemory from, GpuMemory to)
            throws TransportException {
        this.nic = nic;
        this.sender = sender;
        this.receiver = receiver;
        this.unpack = gpu.unpackQueue(UnpackMode.HOST, 1024);
        this.source = sender.register(from);
        this.target = receiver.register(to);
        this.sourceAddress = from.address();
        this.targetAddress = to.address();
    }

    /** Makes channel {@code number} on a device: listens on one transport, connects from the other. */
    static ChannelPair make(
            Patience patience,
            Transport server,
            Transport client,
            int device,
            int number,
            Gpu gpu,
            GpuMemory from,
            GpuMemory to)
            throws TransportException {
        try (Listener listener = server.listen(device, new ChannelContext(gpu, number, patience));
                Connector connector =
                        client.connect(device, listener.handle(), new ChannelContext(gpu, number, patience))) {
            @Nullable SendChannel[] sender = new SendChannel[1];
            @Nullable ReceiveChannel[] receiver = new ReceiveChannel[1];
            return patience.poll("connect and accept channel " + number, () -> {
                SendChannel s = sender[0];
                if (s == null) {
                    s = connector.connect();
                    sender[0] = s;
                }
                ReceiveChannel r = receiver[0];
                if (r == null) {
                    r = listener.accept();
                    receiver[0] = r;
                }
                return s == null || r == null
                        ? null
                        : new ChannelPair(server.devices().get(device), s, r, gpu, from, to);
            });
        }
    }

    /** Posts a send of a range of the source memory. @return false when it is refused now */
    boolean send(long offset, long bytes) throws TransportException {
        boolean taken = sender.send(source, sourceAddress + offset, bytes, 0, offset);
        sendsPosted += taken ? 1 : 0;
        return taken;
    }

    /** Posts a receive into a range of the target memory. @param from offset in the sender's message: the same on both ends */
    boolean receive(long offset, long bytes, long from) throws TransportException {
        boolean taken = receiver.receive(target, targetAddress + offset, bytes, 0, from);
        if (taken) {
            posted.add(new Posted(targetAddress + offset, bytes));
        }
        return taken;
    }

    /** As {@link #send} and {@link #receive}, by lists of pieces of the two memories. */
    boolean sendPieces(long pieces, int count, long bytes) throws TransportException {
        boolean taken = sender.sendPieces(source, pieces, count, bytes, 0, 0);
        sendsPosted += taken ? 1 : 0;
        return taken;
    }

    boolean receivePieces(long pieces, int count, long bytes) throws TransportException {
        boolean taken = receiver.receivePieces(target, pieces, count, bytes, 0, 0);
        if (taken) {
            posted.add(new Posted(pieces, bytes));
        }
        return taken;
    }

    /** Posts a void in the place of a send. */
    boolean sendVoid(long offset, long bytes) throws TransportException {
        boolean taken = sender.sendVoid(bytes, 0, offset);
        sendsPosted += taken ? 1 : 0;
        return taken;
    }

    boolean receive(long offset, long bytes) throws TransportException {
        return receive(offset, bytes, offset);
    }

    /** Takes finished sends off. @return how many */
    int reapSends() throws TransportException {
        int count = 0;
        while (sent < sendsPosted && sender.test() == Channel.DONE) {
            sent++;
            count++;
        }
        return count;
    }

    /** Takes finished receives off, gathers what was scattered, consumes. @return how many */
    int reapReceives() throws TransportException {
        int count = 0;
        while (!posted.isEmpty()) {
            int state = receiver.test();
            if (state == Channel.PENDING) {
                break;
            }
            if (state == Channel.VOID) {
                posted.remove();
                receiver.consumed();
                received++;
                voided++;
                count++;
                continue;
            }
            if (state != Channel.DONE) {
                throw new AssertionError("a receive ended in state " + state);
            }
            Posted p = posted.remove();
            if (nic.scatters()) {
                ScatterList list = receiver.scattered();
                list.check(p.bytes);
                long ticket = unpack.enqueue(list, p.address, p.bytes);
                unpack.flush();
                while (unpack.completed() < ticket) {
                    Thread.onSpinWait();
                }
            }
            receiver.consumed();
            received++;
            count++;
        }
        return count;
    }

    /** Of those received, those of which nothing came. */
    long voided() {
        return voided;
    }

    long sent() {
        return sent;
    }

    long received() {
        return received;
    }

    int receivesPosted() {
        return posted.size();
    }

    @Override
    public void close() throws TransportException {
        sender.close();
        receiver.close();
        unpack.close();
    }
}
