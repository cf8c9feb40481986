package org.sluice.daemon;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** A client's first message, checked. */
record Hello(
        boolean takesDescriptors,
        boolean asksOnly,
        Key mailbox,
        int pid,
        int entries,
        int listBytes,
        int textBytes,
        String name) {
    private static final int FIXED_BYTES = 48;
    private static final int MOST_SPACE = 16 << 20;
    private static final int LEAST_TEXT = 64 << 10;
    private static final int MOST_NAME = 64;

    static Hello read(Message message) throws Violation {
        ByteBuffer p = message.payload();
        if (message.type() != Protocol.HELLO || p.remaining() < FIXED_BYTES || p.getLong() != Protocol.MAGIC) {
            throw new Violation("the first message is no HELLO");
        }
        int lowest = Short.toUnsignedInt(p.getShort());
        int highest = Short.toUnsignedInt(p.getShort());
        if (lowest > Protocol.VERSION || highest < Protocol.VERSION) {
            throw new ClientException(
                    Status.NOT_SUPPORTED,
                    "this daemon speaks version " + Protocol.VERSION + " of the local protocol, the client " + lowest
                            + " to " + highest + ": use a client library of the daemon's release");
        }
        int flags = p.getInt();
        Key mailbox = Key.read(p);
        int pid = p.getInt();
        int entries = p.getInt();
        int lists = p.getInt();
        int texts = p.getInt();
        if (entries < 16 || entries > 4096 || Integer.bitCount(entries) != 1) {
            throw new Violation("a ring of " + entries + " entries");
        }
        if (lists < 0 || lists > MOST_SPACE || texts < 0 || texts > MOST_SPACE) {
            throw new Violation("an area of more than " + MOST_SPACE + " bytes");
        }
        byte[] name = new byte[Math.min(p.remaining(), MOST_NAME)];
        p.get(name);
        return new Hello(
                (flags & 1) != 0,
                (flags & 2) != 0,
                mailbox,
                pid,
                entries,
                pages(lists),
                pages(Math.max(LEAST_TEXT, texts)),
                new String(name, StandardCharsets.UTF_8).replaceAll("[^\\x20-\\x7e]", "?"));
    }

    private static int pages(int bytes) {
        return bytes + 4095 & -4096;
    }
}
