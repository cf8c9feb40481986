package org.sluice.client;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The 128 bytes of a request. */
final class Submission {
    static final int WRITE = 1;
    static final int READ = 2;
    static final int NOTIFY = 3;
    static final int CANCEL = 4;
    private static final int WITH_NOTE = 1;
    private static final int BYTES = 128;

    private final ByteBuffer entry = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);

    private Submission(int operation, int link) {
        entry.put(0, (byte) operation).putInt(4, link);
    }

    static Submission bare(int operation, int link) {
        return new Submission(operation, link);
    }

    static Submission move(
            int operation, int link, int memory, long offset, long bytes, RemoteKey remote, long remoteOffset) {
        Submission s = new Submission(operation, link);
        s.entry.putInt(16, memory).putLong(24, offset).putLong(32, bytes);
        s.entry.putLong(40, remote.high()).putLong(48, remote.low()).putLong(56, remoteOffset);
        return s;
    }

    static Submission cancel(long request) {
        Submission s = new Submission(CANCEL, 0);
        s.entry.putLong(24, request);
        return s;
    }

    Submission number(long number) {
        entry.putLong(8, number);
        return this;
    }

    Submission note(Mailbox mailbox, int at, int length) {
        entry.put(1, (byte) WITH_NOTE).putInt(80, at).putInt(84, length);
        entry.putLong(88, mailbox.high()).putLong(96, mailbox.low());
        return this;
    }

    byte[] bytes() {
        return entry.array();
    }
}
