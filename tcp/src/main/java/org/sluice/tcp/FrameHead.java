package org.sluice.tcp;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The 40 bytes that begin each frame on a data connection, little-endian: u32 magic, u8 version, u8 kind, u8 flags, u8 zero, u64
 * message, u64 offset, u64 length of the payload, u32 CRC-32C of it, u32 number of the channel on this connection. They say which
 * chunk of which channel it is: the place for the payload is looked up by what they say, never by the order of connections.
 */
final class FrameHead {
    static final int BYTES = 40;

    /** Kind: a chunk. */
    static final int DATA = 1;

    /** Kind: a channel begins; its token is the payload. Message: which of the channel's connections; offset: 1 if it is alone here. */
    static final int OPEN = 2;

    /** Kind: a channel ends; no payload. */
    static final int CLOSE = 3;

    /** Flag: the checksum is there and to be checked. */
    static final int CHECKED = 1;

    /** Flag: the payload is encrypted and followed by its tag, which seals this head too. */
    static final int SEALED = 2;

    /** Flag of a chunk: it does not come. The head names it as it would otherwise, and no payload follows; where sealed, a tag does. */
    static final int VOID = 4;

    /** {@code SLTF}, little-endian. */
    private static final int MAGIC = 0x46544C53;

    private static final int VERSION = 2;
    private static final int FLAGS = 16;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    private FrameHead() {}

    static void write(
            MemorySegment head,
            int kind,
            int flags,
            int channel,
            long message,
            long offset,
            long length,
            int checksum) {
        head.set(INT, 0, MAGIC);
        head.set(INT, 4, VERSION | (kind << 8) | (flags << FLAGS));
        head.set(LONG, 8, message);
        head.set(LONG, 16, offset);
        head.set(LONG, 24, length);
        head.set(INT, 32, checksum);
        head.set(INT, 36, channel);
    }

    /** Whether it is a head at all, of a kind that there is. */
    static boolean isFrame(MemorySegment head) {
        int kind = kind(head);
        int flags = head.get(INT, 4) >>> FLAGS;
        return head.get(INT, 0) == MAGIC
                && (head.get(INT, 4) & 0xff) == VERSION
                && kind >= DATA
                && kind <= CLOSE
                && (flags & ~(kind == DATA ? CHECKED | SEALED | VOID : 0)) == 0;
    }

    static int kind(MemorySegment head) {
        return (head.get(INT, 4) >>> 8) & 0xff;
    }

    static int channel(MemorySegment head) {
        return head.get(INT, 36);
    }

    static long message(MemorySegment head) {
        return head.get(LONG, 8);
    }

    static long offset(MemorySegment head) {
        return head.get(LONG, 16);
    }

    static long length(MemorySegment head) {
        return head.get(LONG, 24);
    }

    /** Whether this is the head of exactly the chunk that is awaited. */
    static boolean announces(MemorySegment head, boolean sealed, long message, long offset, long length) {
        return isSealed(head) == sealed
                && head.get(LONG, 8) == message
                && head.get(LONG, 16) == offset
                && head.get(LONG, 24) == length;
    }

    static boolean isSealed(MemorySegment head) {
        return (head.get(INT, 4) & (SEALED << FLAGS)) != 0;
    }

    static boolean isVoid(MemorySegment head) {
        return (head.get(INT, 4) & (VOID << FLAGS)) != 0;
    }

    static boolean isChecked(MemorySegment head) {
        return (head.get(INT, 4) & (CHECKED << FLAGS)) != 0;
    }

    static int checksum(MemorySegment head) {
        return head.get(INT, 32);
    }

    /** What the head says it is, for the message about one that was not awaited. */
    static String text(MemorySegment head) {
        if (head.get(INT, 0) != MAGIC) {
            return "bytes that are no frame (they start with 0x" + Integer.toHexString(head.get(INT, 0)) + ")";
        }
        return "offset " + head.get(LONG, 16) + " of message " + Long.toHexString(head.get(LONG, 8)) + ", "
                + head.get(LONG, 24) + " bytes, version, kind and flags 0x" + Integer.toHexString(head.get(INT, 4));
    }
}
