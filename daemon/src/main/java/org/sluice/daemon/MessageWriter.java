package org.sluice.daemon;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.List;
import org.sluice.linux.Descriptor;
import org.sluice.linux.LinuxException;
import org.sluice.linux.UnixSocket;

/** Sends messages to a client that may be slow: what does not fit waits, up to a bound. Any thread. */
final class MessageWriter {
    /** Answers are bounded by the requests that may be unanswered; bells are dropped while anything waits. */
    private static final int MOST_WAITING = 4 * Protocol.MOST_UNANSWERED;

    private record Waiting(ByteBuffer bytes, List<Descriptor> descriptors) {}

    private final UnixSocket socket;
    private final Runnable full;
    private final ArrayDeque<Waiting> waiting = new ArrayDeque<>();
    private boolean closed;

    /** @param full told when something begins to wait, so that somebody calls {@link #flush} once there is room; must not wait */
    MessageWriter(UnixSocket socket, Runnable full) {
        this.socket = socket;
        this.full = full;
    }

    /**
     * Sends now, or keeps it for {@link #flush}; closes the message's descriptors once they are sent.
     *
     * @throws LinuxException when the connection is broken, or the client takes nothing for too long
     */
    synchronized void send(Message message) throws LinuxException {
        if (closed) {
            message.closeDescriptors();
            return;
        }
        if (waiting.size() >= MOST_WAITING) {
            message.closeDescriptors();
            throw new LinuxException("a client that does not read its answers", 0);
        }
        ByteBuffer bytes = ByteBuffer.allocateDirect(
                        Protocol.HEAD_BYTES + message.payload().remaining())
                .order(ByteOrder.LITTLE_ENDIAN);
        bytes.putInt(message.payload().remaining())
                .putShort((short) message.type())
                .putShort((short) 0)
                .putLong(message.request())
                .put(message.payload())
                .flip();
        boolean first = waiting.isEmpty();
        waiting.add(new Waiting(bytes, message.descriptors()));
        flush();
        if (first && !waiting.isEmpty()) {
            full.run();
        }
    }

    /** Whether something waits for room in the socket. */
    synchronized boolean isFull() {
        return !waiting.isEmpty();
    }

    /** Rings the bell of a client without an eventfd; one that has something unread needs none. */
    synchronized void bell() {
        if (waiting.isEmpty() && !closed) {
            try {
                send(new Message(Protocol.BELL, 0, Message.buffer(0), List.of()));
            } catch (LinuxException e) {
                socket.shutdown(); // the serving thread sees the end and does the rest
            }
        }
    }

    /** Sends what waits, as far as there is room. */
    synchronized void flush() throws LinuxException {
        while (!waiting.isEmpty() && !closed) {
            Waiting first = waiting.peek();
            MemorySegment rest = MemorySegment.ofBuffer(first.bytes());
            boolean begins = first.bytes().position() == 0;
            int sent = socket.send(
                    rest,
                    begins ? first.descriptors().stream().map(Descriptor::fd).toList() : List.of());
            if (sent == 0) {
                return;
            }
            first.bytes().position(first.bytes().position() + sent);
            if (begins) {
                first.descriptors().forEach(Descriptor::close);
            }
            if (!first.bytes().hasRemaining()) {
                waiting.remove();
            }
        }
    }

    /** Nothing is sent any more. */
    synchronized void close() {
        closed = true;
        waiting.forEach(w -> w.descriptors().forEach(Descriptor::close));
        waiting.clear();
    }
}
