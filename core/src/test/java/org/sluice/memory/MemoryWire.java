package org.sluice.memory;

import java.lang.foreign.MemorySegment;
import org.sluice.spi.Channel;
import org.sluice.spi.Doorbell;
import org.sluice.spi.TransportException;

/**
 * One channel in memory: a send and the receive that it meets are copied by whoever posts second. Either end may be on a thread
 * of its own. Allocates nothing per message.
 */
@SuppressWarnings("restricted")
final class MemoryWire {
    private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private final String name;
    private final int most;
    private final Ring sends;
    private final Ring receives;
    private final Doorbell senderBell;
    private final Doorbell receiverBell;
    private long sendsReaped;
    private long receivesReaped;
    private long consumed;
    private long moved;
    private boolean senderClosed;
    private boolean receiverClosed;
    private String fault = "";

    /** Where the messages of one side lie. */
    private static final class Ring {
        final long[] address;
        final long[] bytes;
        final long[] message;
        final long[] offset;
        long posted;

        Ring(int most) {
            address = new long[most];
            bytes = new long[most];
            message = new long[most];
            offset = new long[most];
        }

        void post(long at, long length, long messageId, long messageOffset) {
            int slot = (int) (posted++ % address.length);
            address[slot] = at;
            bytes[slot] = length;
            message[slot] = messageId;
            offset[slot] = messageOffset;
        }
    }

    MemoryWire(String name, int most, Doorbell senderBell, Doorbell receiverBell) {
        this.name = name;
        this.most = most;
        this.sends = new Ring(most);
        this.receives = new Ring(most);
        this.senderBell = senderBell;
        this.receiverBell = receiverBell;
    }

    String name() {
        return name;
    }

    synchronized boolean send(long address, long bytes, long message, long offset) throws TransportException {
        check(senderClosed, receiverClosed);
        if (sends.posted - sendsReaped == most) {
            return false;
        }
        sends.post(address, bytes, message, offset);
        move();
        return true;
    }

    synchronized boolean receive(long address, long bytes, long message, long offset) throws TransportException {
        check(receiverClosed, senderClosed);
        if (receives.posted - consumed == most) {
            return false;
        }
        receives.post(address, bytes, message, offset);
        move();
        return true;
    }

    private void move() {
        while (moved < Math.min(sends.posted, receives.posted) && !senderClosed && !receiverClosed && fault.isEmpty()) {
            int slot = (int) (moved % most);
            if (sends.bytes[slot] != receives.bytes[slot]
                    || sends.message[slot] != receives.message[slot]
                    || sends.offset[slot] != receives.offset[slot]) {
                fault = "sent was message " + sends.message[slot] + " at " + sends.offset[slot] + " with "
                        + sends.bytes[slot] + " bytes, expected was message " + receives.message[slot] + " at "
                        + receives.offset[slot] + " with " + receives.bytes[slot];
            } else {
                MemorySegment.copy(MEMORY, sends.address[slot], MEMORY, receives.address[slot], sends.bytes[slot]);
                moved++;
            }
            senderBell.ring();
            receiverBell.ring();
        }
    }

    synchronized int testSend() throws TransportException {
        if (sendsReaped < Math.min(moved, sends.posted)) {
            sendsReaped++;
            return Channel.DONE;
        }
        check(senderClosed, receiverClosed);
        return Channel.PENDING;
    }

    synchronized int testReceive() throws TransportException {
        if (receivesReaped < moved) {
            receivesReaped++;
            return Channel.DONE;
        }
        check(receiverClosed, senderClosed);
        return Channel.PENDING;
    }

    synchronized void consumed() throws TransportException {
        if (consumed == receivesReaped) {
            throw new TransportException(name + ": more receives consumed than done");
        }
        consumed++;
    }

    private void check(boolean here, boolean there) throws TransportException {
        if (!fault.isEmpty()) {
            throw new TransportException(name + ": " + fault);
        }
        if (here || there) {
            throw new TransportException(name + ": closed by " + (here ? "this side" : "the peer"));
        }
    }

    synchronized void closeSender() {
        senderClosed = true;
        receiverBell.ring();
    }

    synchronized void closeReceiver() {
        receiverClosed = true;
        senderBell.ring();
    }

    /** Breaks the wire for both ends, as a cable that is pulled out. */
    synchronized void cut() {
        fault = "the wire was cut";
        senderBell.ring();
        receiverBell.ring();
    }
}
