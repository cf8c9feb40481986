package org.sluice.tcp;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The 40 bytes before each chunk on a data connection, little-endian: u32 magic, u8 version, u8 flags, u16 zero, u64 message, u64
 * offset, u64 length, u32 CRC-32C of the payload, u32 zero. They say what the chunk is, so that a receiver can tell a peer that
 * is out of step from one that is not.
 */
final class FrameHead {
    static final int BYTES = 40;

    /** Flag: the checksum is there and to be checked. */
    static final int CHECKED = 1;

    /** Flag: the payload is encrypted and followed by its tag, which seals this head too. */
    static final int SEALED = 2;

    /** {@code SLTF}, little-endian. */
    private static final int MAGIC = 0x46544C53;

    private static final int VERSION = 1;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    private FrameHead() {}

    static void write(MemorySegment head, int flags, long message, long offset, long length, int checksum) {
        head.set(INT, 0, MAGIC);
        head.set(INT, 4, VERSION | (flags << 8));
        head.set(LONG, 8, message);
        head.set(LONG, 16, offset);
        head.set(LONG, 24, length);
        head.set(INT, 32, checksum);
        head.set(INT, 36, 0);
    }

    /** Whether this is the head of exactly the chunk that is awaited. */
    static boolean announces(MemorySegment head, boolean sealed, long message, long offset, long length) {
        return head.get(INT, 0) == MAGIC
                && (head.get(INT, 4) & ~(CHECKED << 8)) == (VERSION | (sealed ? SEALED << 8 : 0))
                && head.get(LONG, 8) == message
                && head.get(LONG, 16) == offset
                && head.get(LONG, 24) == length
                && head.get(INT, 36) == 0;
    }

    static boolean isChecked(MemorySegment head) {
        return (head.get(INT, 4) & (CHECKED << 8)) != 0;
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
                + head.get(LONG, 24) + " bytes, version and flags 0x" + Integer.toHexString(head.get(INT, 4));
    }
}
