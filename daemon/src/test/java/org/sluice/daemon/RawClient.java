package org.sluice.daemon;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.sluice.linux.Descriptor;
import org.sluice.linux.EventFd;
import org.sluice.linux.FileMapping;
import org.sluice.linux.LinuxException;
import org.sluice.linux.UnixSocket;

/** A client without manners: what it sends is up to the test. */
final class RawClient implements AutoCloseable {
    private static final long LIMIT_NANOS = 20_000_000_000L;

    private final Arena arena = Arena.ofShared();
    private final UnixSocket socket;
    private final MemorySegment buffer = arena.allocate(Protocol.HEAD_BYTES + Protocol.MOST_PAYLOAD);
    private final List<Descriptor> descriptors = new ArrayList<>();
    private int have;

    RawClient(Path path) throws LinuxException {
        socket = UnixSocket.connect(path);
    }

    static ByteBuffer bytes(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Sends bytes as they are. @return whether the daemon still takes them */
    boolean send(byte[] bytes, List<Integer> fds) {
        try (Arena a = Arena.ofConfined()) {
            MemorySegment all = a.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
            long done = 0;
            long end = System.nanoTime() + LIMIT_NANOS;
            List<Integer> left = fds;
            while (done < bytes.length) {
                int n = socket.send(all.asSlice(done), left);
                if (n > 0) {
                    left = List.of();
                    done += n;
                } else if (System.nanoTime() - end > 0) {
                    return false;
                } else {
                    Thread.onSpinWait();
                }
            }
            return true;
        } catch (LinuxException e) {
            return false;
        }
    }

    @SuppressWarnings("ByteBufferBackingArray")
    boolean send(int type, long request, ByteBuffer payload, List<Integer> fds) {
        ByteBuffer all = bytes(Protocol.HEAD_BYTES + payload.remaining());
        all.putInt(payload.remaining())
                .putShort((short) type)
                .putShort((short) 0)
                .putLong(request)
                .put(payload);
        return send(all.array(), fds);
    }

    static ByteBuffer hello(int entries, int lists, int texts) {
        return bytes(48)
                .putLong(Protocol.MAGIC)
                .putShort((short) 1)
                .putShort((short) 1)
                .putInt(1)
                .putLong(System.nanoTime())
                .putLong(entries)
                .putInt(1)
                .putInt(entries)
                .putInt(lists)
                .putInt(texts)
                .flip();
    }

    /** An answer: its type, and what it says. */
    record Answer(int type, ByteBuffer payload) {
        int status() {
            return type == Protocol.ERROR ? payload.getInt(0) : 0;
        }
    }

    /** The next answer. @throws LinuxException when the daemon has ended the conversation */
    Answer answer() throws LinuxException {
        long end = System.nanoTime() + LIMIT_NANOS;
        while (true) {
            int need = Protocol.HEAD_BYTES + (have >= 4 ? buffer.get(ValueLayout.JAVA_INT, 0) : 0);
            if (have >= Protocol.HEAD_BYTES && have == need) {
                byte[] payload = buffer.asSlice(Protocol.HEAD_BYTES, need - Protocol.HEAD_BYTES)
                        .toArray(ValueLayout.JAVA_BYTE);
                have = 0;
                return new Answer(
                        Short.toUnsignedInt(buffer.get(ValueLayout.JAVA_SHORT, 4)),
                        ByteBuffer.wrap(payload).order(ByteOrder.LITTLE_ENDIAN));
            }
            int until = have < Protocol.HEAD_BYTES ? Protocol.HEAD_BYTES : need;
            UnixSocket.Received got = socket.receive(buffer.asSlice(have, until - have));
            have += got.bytes();
            descriptors.addAll(got.descriptors());
            if (got.ended() || System.nanoTime() - end > 0) {
                throw new LinuxException("the daemon has ended the conversation", 0);
            }
        }
    }

    /** What a client that was welcomed can write to at will. */
    record Shared(FileMapping mapping, EventFd bell, ByteBuffer welcome) {
        MemorySegment bytes() {
            return mapping.segment();
        }

        int at(int offsetInWelcome) {
            return welcome.getInt(offsetInWelcome);
        }
    }

    /** Says hello as it should be. */
    Shared greet(int entries) throws LinuxException {
        send(Protocol.HELLO, 1, hello(entries, 65536, 65536), List.of());
        Answer welcome = answer();
        if (welcome.type() != Protocol.WELCOME) {
            throw new LinuxException("not welcome", welcome.status());
        }
        return new Shared(
                FileMapping.of(descriptors.get(0), 0, welcome.payload().getLong(24)),
                EventFd.of(descriptors.get(1)),
                welcome.payload());
    }

    /** Whether the daemon has ended the conversation, or does within the limit. */
    boolean isEnded() {
        try {
            while (true) {
                answer();
            }
        } catch (LinuxException e) {
            return true;
        }
    }

    @Override
    public void close() {
        descriptors.forEach(Descriptor::close);
        socket.close();
        arena.close();
    }
}
