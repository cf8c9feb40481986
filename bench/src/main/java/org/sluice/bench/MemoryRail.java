package org.sluice.bench;

import org.sluice.spi.Channel;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.ReceiveChannel;
import org.sluice.spi.Registration;
import org.sluice.spi.ScatterList;
import org.sluice.spi.SendChannel;

/**
 * Both ends of a channel inside one thread, which moves no bytes and takes no time: what is left when an engine runs over it is
 * the engine. A send is done as soon as the receive that it meets is posted; that they are of the same chunk is checked.
 */
final class MemoryRail {
    private static final Registration NOTHING_TO_FREE = () -> {};

    private final Side sends = new Side();
    private final Side receives = new Side();

    /** What one end has posted and taken off again. */
    private static final class Side {
        private static final int CAPACITY = 1024;

        private final long[] message = new long[CAPACITY];
        private final long[] offset = new long[CAPACITY];
        private final long[] bytes = new long[CAPACITY];
        private long posted;
        private long done;

        boolean post(long messageId, long at, long length) {
            if (posted - done == CAPACITY) {
                return false;
            }
            int slot = (int) posted++ & (CAPACITY - 1);
            message[slot] = messageId;
            offset[slot] = at;
            bytes[slot] = length;
            return true;
        }

        int test(Side peer) {
            if (done == posted || done >= peer.posted) {
                return Channel.PENDING;
            }
            int slot = (int) done++ & (CAPACITY - 1);
            if (message[slot] != peer.message[slot]
                    || offset[slot] != peer.offset[slot]
                    || bytes[slot] != peer.bytes[slot]) {
                throw new IllegalStateException("offset " + offset[slot] + " meets offset " + peer.offset[slot]);
            }
            return Channel.DONE;
        }
    }

    private abstract static class End implements Channel {
        @Override
        public Registration register(GpuMemory memory) {
            return NOTHING_TO_FREE;
        }

        @Override
        public String description() {
            return "memory";
        }

        @Override
        public void close() {}
    }

    SendChannel sender() {
        return new Sender();
    }

    ReceiveChannel receiver() {
        return new Receiver();
    }

    private final class Sender extends End implements SendChannel {
        @Override
        public boolean send(Registration memory, long address, long bytes, long message, long offset) {
            return sends.post(message, offset, bytes);
        }

        @Override
        public boolean sendPieces(Registration memory, long pieces, int count, long bytes, long message, long offset) {
            return sends.post(message, offset, bytes);
        }

        @Override
        public int test() {
            return sends.test(receives);
        }
    }

    private final class Receiver extends End implements ReceiveChannel {
        @Override
        public boolean receive(Registration memory, long address, long bytes, long message, long offset) {
            return receives.post(message, offset, bytes);
        }

        @Override
        public boolean receivePieces(
                Registration memory, long pieces, int count, long bytes, long message, long offset) {
            return receives.post(message, offset, bytes);
        }

        @Override
        public int test() {
            return receives.test(sends);
        }

        @Override
        public ScatterList scattered() {
            throw new UnsupportedOperationException("nothing is scattered here");
        }

        @Override
        public void consumed() {}
    }
}
