package org.sluice.wire;

import org.jspecify.annotations.Nullable;
import org.sluice.spi.Transport;

/**
 * The kinds of frames on a control connection, with their number on the wire and the payload lengths that are allowed. The
 * first group makes a link, the second runs it, the third is for ranks that meet. {@code docs/protocol.md} has every byte.
 */
public enum FrameType {
    HELLO(1, 72, 72),
    PROOF(2, 32, 32),
    OFFER(3, 1, 64 << 10),
    ANSWER(4, 1, 64 << 10),
    HANDLES(5, 1, 64 << 10),
    READY(6, 0, 0),
    REFUSE(7, 0, 1 << 10),
    TARGET(8, 4, 4),
    IDENTITY(9, 1, 64 << 10),
    RESUME(10, 56, 56),

    OPEN(16, 32, 64 << 10),
    WRITE(17, 56, 56),
    READ(18, 56, 56),
    GRANT(19, 24, 64 << 10),
    LANDED(20, 8, 64 << 10),
    REFUSED(21, 24, 24),
    CHANNEL_DOWN(22, 8, 1 << 10),
    PING(23, 0, 0),
    NOTE(24, 0, 64 << 10),
    REGION(25, 24, 1 << 10),
    ERROR(26, 0, 1 << 10),
    GOODBYE(27, 0, 0),
    PONG(28, 0, 0),
    CHANNEL_HANDLE(29, 9, 8 + Transport.MAX_HANDLE_BYTES),
    CHANNEL_UP(30, 8, 8),
    LAYOUT(31, 64, 64),
    LAYOUT_MORE(32, 8, 64 << 10),
    CANCEL(33, 16, 16),
    ENDED(34, 16, 16),
    NOTIFICATION(35, 0, (64 << 10) + FrameSeal.TAG_BYTES),
    TAKEN(36, 8, 8),
    BYTES(37, 1, (64 << 10) + FrameSeal.TAG_BYTES),
    CREDIT(40, 24, 24),
    WITHDRAW(41, 1, 1000),
    PREPARE(42, 8, 8),
    RELEASE(43, 8, 8),
    SELECTION(44, 16, 64 << 10),
    SHARE_DOOR(45, 1, Transport.MAX_HANDLE_BYTES),
    HELD(46, 8, 1 << 10),
    UNSHARE(47, 8, 8),

    JOIN(64, 12, 1 << 10),
    TABLE(65, 4, 64 << 10),
    WORD(66, 4, 64 << 10);

    /** {@code SLCE}, little-endian. */
    public static final int MAGIC = 0x45434C53;

    /** What this node speaks. 2: credits, and heartbeats that nobody has to ask for. */
    public static final int VERSION = 2;

    /** The oldest version that had this header: a peer of it is told no in its own words. */
    static final int OLDEST_VERSION = 1;

    /** u32 magic, u8 version, u8 type, u16 zero, u32 payload length. */
    public static final int HEADER_BYTES = 12;

    public static final int MAX_PAYLOAD = (64 << 10) + FrameSeal.TAG_BYTES;

    private static final @Nullable FrameType[] BY_CODE = new FrameType[256];

    static {
        for (FrameType t : values()) {
            BY_CODE[t.code] = t;
        }
    }

    public final int code;
    public final int least;
    public final int most;

    FrameType(int code, int least, int most) {
        this.code = code;
        this.least = least;
        this.most = most;
    }

    public static @Nullable FrameType of(int code) {
        return BY_CODE[code & 0xff];
    }
}
