package org.sluice.daemon;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sluice.linux.Descriptor;
import org.sluice.linux.LinuxException;
import org.sluice.linux.UnixSocket;

/** Cuts what comes from a client into messages. Reads one message at a time, so that descriptors stay with theirs. One thread. */
final class MessageReader implements AutoCloseable {
    /** Descriptors that a message of any type may carry. */
    private static final int MOST_DESCRIPTORS = HandedParts.MOST_AT_ONCE;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;

    private final UnixSocket socket;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment buffer = arena.allocate(Protocol.HEAD_BYTES + Protocol.MOST_PAYLOAD);
    private final List<Descriptor> descriptors = new ArrayList<>();
    private int have;
    private boolean ended;

    MessageReader(UnixSocket socket) {
        this.socket = socket;
    }

    /** Whether the client has closed its end. */
    boolean ended() {
        return ended;
    }

    /** The next message; null when it is not all here yet. */
    @Nullable Message next() throws Violation, LinuxException {
        while (true) {
            int need = Protocol.HEAD_BYTES;
            if (have >= need) {
                long payload = Integer.toUnsignedLong(buffer.get(INT, 0));
                if (payload > Protocol.MOST_PAYLOAD || buffer.get(SHORT, 6) != 0) {
                    throw new Violation("a message with a head of no known kind");
                }
                need += (int) payload;
                if (have == need) {
                    return take(need);
                }
            }
            UnixSocket.Received got = socket.receive(buffer.asSlice(have, need - have));
            descriptors.addAll(got.descriptors());
            have += got.bytes();
            ended |= got.ended();
            if (descriptors.size() > MOST_DESCRIPTORS) {
                throw new Violation("a message with " + descriptors.size() + " descriptors");
            }
            if (got.bytes() == 0) {
                return null;
            }
        }
    }

    @SuppressWarnings("ByteBufferBackingArray")
    private Message take(int bytes) {
        ByteBuffer payload = Message.buffer(bytes - Protocol.HEAD_BYTES);
        MemorySegment.copy(buffer, ValueLayout.JAVA_BYTE, Protocol.HEAD_BYTES, payload.array(), 0, payload.capacity());
        Message message = new Message(
                Short.toUnsignedInt(buffer.get(SHORT, 4)),
                buffer.get(ValueLayout.JAVA_LONG_UNALIGNED, 8),
                payload,
                List.copyOf(descriptors));
        descriptors.clear();
        have = 0;
        return message;
    }

    @Override
    public void close() {
        descriptors.forEach(Descriptor::close);
        descriptors.clear();
        arena.close();
    }
}
