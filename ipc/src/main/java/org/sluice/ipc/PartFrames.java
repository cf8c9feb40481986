package org.sluice.ipc;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.sluice.linux.Descriptor;
import org.sluice.linux.LinuxException;
import org.sluice.linux.UnixSocket;
import org.sluice.spi.PartsConnection;
import org.sluice.spi.SharedPart;

/** What two processes say on the Unix socket, in bytes: {@code docs/protocol.md} has every one of them. */
final class PartFrames {
    static final int TOKEN_BYTES = 16;

    /** {@code SLPT}, little-endian. */
    private static final int MAGIC = 0x54504C53;

    private static final int HEAD_BYTES = 16;
    private static final int PART_BYTES = 40;
    private static final int PROTOCOL_ERROR = 71;

    /** A block of more is not to be had: 60 GB of 20 MiB segments are 3000. */
    private static final int MOST_PARTS = 1 << 16;

    private static final int MOST_PAYLOAD = UnixSocket.MOST_DESCRIPTORS * (PART_BYTES + SharedPart.MOST_HANDLE_BYTES)
            + PartsConnection.MOST_LABEL_BYTES
            + 8;

    static final int MOST_FRAME = HEAD_BYTES + MOST_PAYLOAD;

    private PartFrames() {}

    enum Type {
        /** The first word of who comes: the door's token; one descriptor, its word. */
        GREETING(0),
        /** The answer; one descriptor, the word of who lets in. */
        WELCOME(1),
        /** Some parts of a block, perhaps the last. */
        PARTS(2);

        private final int number;

        Type(int number) {
            this.number = number;
        }

        private static Optional<Type> of(int number) {
            return Stream.of(values()).filter(t -> t.number == number).findFirst();
        }
    }

    /** A frame on its way out, and the descriptors that go with its first byte. */
    record Frame(ByteBuffer bytes, List<Integer> descriptors) {}

    static Frame greeting(byte[] token, int descriptor) {
        ByteBuffer out = frame(Type.GREETING, true, 1, TOKEN_BYTES).put(token);
        return new Frame(out.flip(), List.of(descriptor));
    }

    static Frame welcome(int descriptor) {
        return new Frame(frame(Type.WELCOME, true, 1, 0).flip(), List.of(descriptor));
    }

    static List<Frame> parts(byte[] label, List<SharedPart> parts) {
        List<Frame> frames = new ArrayList<>();
        for (int at = 0; at < parts.size(); at += UnixSocket.MOST_DESCRIPTORS) {
            int end = Math.min(parts.size(), at + UnixSocket.MOST_DESCRIPTORS);
            List<SharedPart> some = parts.subList(at, end);
            List<Integer> descriptors = some.stream()
                    .map(SharedPart::descriptor)
                    .filter(d -> d >= 0)
                    .toList();
            int payload = 8 + label.length;
            for (SharedPart p : some) {
                payload += PART_BYTES + p.handle().length;
            }
            ByteBuffer out = frame(Type.PARTS, end == parts.size(), descriptors.size(), payload);
            out.putInt(label.length).putInt(some.size()).put(label);
            for (SharedPart p : some) {
                out.put((byte) p.kind().number())
                        .put((byte) p.handle().length)
                        .putShort((short) 0)
                        .putInt(0)
                        .putLong(p.allocation())
                        .putLong(p.allocationBytes())
                        .putLong(p.offset())
                        .putLong(p.bytes())
                        .put(p.handle());
            }
            frames.add(new Frame(out.flip(), descriptors));
        }
        return frames;
    }

    private static ByteBuffer frame(Type type, boolean last, int descriptors, int payload) {
        return ByteBuffer.allocateDirect(HEAD_BYTES + payload)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(MAGIC)
                .put((byte) type.number)
                .put((byte) (last ? 1 : 0))
                .putShort((short) descriptors)
                .putInt(payload)
                .putInt(0);
    }

    /** Told what was read. */
    interface Heard {
        void greeting(byte[] token, Descriptor word) throws LinuxException;

        void welcome(Descriptor word) throws LinuxException;

        void block(byte[] label, List<SharedPart> parts);
    }

    /** Puts frames together from what comes, and descriptors to the frames that they came with. Believes nothing. */
    static final class Reader {
        private final ByteBuffer in = ByteBuffer.allocateDirect(2 * MOST_FRAME).order(ByteOrder.LITTLE_ENDIAN);
        private final Deque<Descriptor> descriptors = new ArrayDeque<>();
        private List<SharedPart> parts = new ArrayList<>();

        /** Where the next bytes go: room for a frame at the least. */
        ByteBuffer room() {
            return in;
        }

        void came(List<Descriptor> with) throws LinuxException {
            descriptors.addAll(with);
            if (descriptors.size() > 4 * UnixSocket.MOST_DESCRIPTORS) {
                throw wrong("more descriptors than it says");
            }
        }

        /** Hands whole frames on. @throws LinuxException when it is not understood: the connection is to be closed */
        void read(Heard to) throws LinuxException {
            in.flip();
            try {
                while (in.remaining() >= HEAD_BYTES) {
                    int at = in.position();
                    Optional<Type> type = Type.of(in.get(at + 4));
                    int payload = in.getInt(at + 8);
                    int count = in.getShort(at + 6);
                    if (in.getInt(at) != MAGIC
                            || type.isEmpty()
                            || payload < 0
                            || payload > MOST_PAYLOAD
                            || count < 0
                            || count > UnixSocket.MOST_DESCRIPTORS) {
                        throw wrong("a frame that is none");
                    }
                    if (in.remaining() < HEAD_BYTES + payload) {
                        return;
                    }
                    if (descriptors.size() < count) {
                        throw wrong("fewer descriptors than it says");
                    }
                    boolean last = in.get(at + 5) == 1;
                    in.position(at + HEAD_BYTES);
                    frame(type.orElseThrow(), last, count, at + HEAD_BYTES + payload, to);
                    in.position(at + HEAD_BYTES + payload);
                }
            } finally {
                in.compact();
            }
        }

        private void frame(Type type, boolean last, int count, int end, Heard to) throws LinuxException {
            int payload = end - in.position();
            switch (type) {
                case GREETING -> {
                    if (payload != TOKEN_BYTES || count != 1) {
                        throw wrong("a greeting that is none");
                    }
                    byte[] token = new byte[TOKEN_BYTES];
                    in.get(token);
                    to.greeting(token, descriptors.remove());
                }
                case WELCOME -> {
                    if (payload != 0 || count != 1) {
                        throw wrong("a welcome that is none");
                    }
                    to.welcome(descriptors.remove());
                }
                case PARTS -> parts(last, count, end, to);
            }
        }

        private void parts(boolean last, int count, int end, Heard to) throws LinuxException {
            need(8, end);
            int labelBytes = in.getInt();
            int some = in.getInt();
            if (labelBytes < 0
                    || labelBytes > PartsConnection.MOST_LABEL_BYTES
                    || some < 1
                    || parts.size() + some > MOST_PARTS) {
                throw wrong("a block of " + some + " parts");
            }
            need(labelBytes, end);
            byte[] label = new byte[labelBytes];
            in.get(label);
            int left = count;
            for (int i = 0; i < some; i++) {
                need(PART_BYTES, end);
                int kind = in.get();
                int handleBytes = in.get() & 0xff;
                in.getShort();
                in.getInt();
                long allocation = in.getLong();
                long allocationBytes = in.getLong();
                long offset = in.getLong();
                long bytes = in.getLong();
                need(handleBytes, end);
                byte[] handle = new byte[handleBytes];
                in.get(handle);
                SharedPart.Kind k = SharedPart.Kind.of(kind).orElseThrow(() -> wrong("a part of unknown kind " + kind));
                if (k.hasDescriptor() && left-- == 0) {
                    throw wrong("a part without its descriptor");
                }
                int fd = k.hasDescriptor() ? descriptors.remove().fd() : -1;
                try {
                    parts.add(new SharedPart(k, allocation, allocationBytes, offset, bytes, handle, fd));
                } catch (IllegalArgumentException e) {
                    closeOne(fd);
                    throw wrong(String.valueOf(e.getMessage()));
                }
            }
            if (left > 0) {
                throw wrong("descriptors that belong to no part");
            }
            if (last) {
                List<SharedPart> whole = parts;
                parts = new ArrayList<>();
                to.block(label, whole);
            }
        }

        private void need(int bytes, int end) throws LinuxException {
            if (end - in.position() < bytes) {
                throw wrong("a frame that is cut off");
            }
        }

        private static LinuxException wrong(String what) {
            return new LinuxException("the peer sent " + what, PROTOCOL_ERROR);
        }

        /** Closes the descriptors that nobody took. */
        void close() {
            descriptors.forEach(Descriptor::close);
            descriptors.clear();
            discard(parts);
            parts = new ArrayList<>();
        }
    }

    /** Closes the descriptors of parts. */
    static void discard(List<SharedPart> parts) {
        parts.forEach(p -> closeOne(p.descriptor()));
    }

    private static void closeOne(int fd) {
        if (fd >= 0) {
            new Descriptor(fd).close();
        }
    }
}
