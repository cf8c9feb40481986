package org.sluice.client;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** The area that is shared with the daemon: submissions go in, completions come out. Both sides of it are locked by their callers. */
final class Rings {
    private static final int SUBMISSION_TAIL = 128;
    private static final int SUBMISSION_HEAD = 256;
    private static final int COMPLETION_TAIL = 384;
    private static final int COMPLETION_HEAD = 512;
    private static final int DAEMON_SLEEPS = 640;
    private static final int CLIENT_WAITS = 768;
    private static final int ROOM_WANTED = 896;
    private static final int SUBMISSION_BYTES = 128;
    private static final int COMPLETION_BYTES = 64;

    private static final VarHandle LONG = MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INT = MethodHandles.byteBufferViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

    /** Told of each completion; the text is to be copied. */
    interface Told {
        void completion(long number, int kind, int status, long bytes, byte[] text, Mailbox from);
    }

    private final MappedByteBuffer area;
    private final int entries;
    private final int submissions;
    private final int completions;
    private final int lists;
    private final int listBytes;
    private final long[] listEnds;
    private long submissionTail;
    private long headSeen;
    private long listTail;
    private long listHead;
    private long completionHead;

    /** @param welcome the daemon's answer to HELLO, its path not yet read */
    Rings(ByteBuffer welcome, Path path) throws IOException {
        long bytes = welcome.getLong(24);
        entries = welcome.getInt(32);
        submissions = welcome.getInt(40);
        completions = welcome.getInt(44);
        lists = welcome.getInt(56);
        listBytes = welcome.getInt(60);
        listEnds = new long[entries];
        try (FileChannel file = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            area = file.map(FileChannel.MapMode.READ_WRITE, 0, bytes);
        }
        area.order(ByteOrder.LITTLE_ENDIAN);
    }

    int entries() {
        return entries;
    }

    // submissions: under the posting lock

    private void look() {
        long head = (long) LONG.getAcquire(area, SUBMISSION_HEAD);
        if (head > headSeen && head <= submissionTail) {
            headSeen = head;
            listHead = listEnds[(int) (head - 1 & entries - 1)];
        }
    }

    /** The entry to be filled, zeros; null when the ring is full. It is published by {@link #publish}. */
    boolean hasRoom() {
        look();
        return submissionTail - headSeen < entries;
    }

    /** Puts bytes beside the ring, until the daemon has taken the next entry. @return their place, or -1 when there is no room now */
    int put(byte[] bytes) {
        long length = bytes.length + 7L & ~7L;
        long begin = listTail;
        if (begin % listBytes + length > listBytes) {
            begin += listBytes - begin % listBytes;
        }
        if (begin + length - listHead > listBytes) {
            return -1;
        }
        listTail = begin + length;
        int at = (int) (begin % listBytes);
        area.put(lists + at, bytes);
        return at;
    }

    /** Publishes an entry of 128 bytes. @return whether the daemon sleeps and is to be rung */
    boolean publish(byte[] entry) {
        int index = (int) (submissionTail & entries - 1);
        area.put(submissions + index * SUBMISSION_BYTES, entry);
        listEnds[index] = listTail;
        submissionTail++;
        LONG.setRelease(area, SUBMISSION_TAIL, submissionTail);
        VarHandle.fullFence();
        return rings(DAEMON_SLEEPS);
    }

    private boolean rings(int flag) {
        return (int) INT.getAcquire(area, flag) != 0 && (int) INT.getAndSet(area, flag, 0) != 0;
    }

    // completions: under the taking lock

    /** Takes what has been told. @return whether the daemon wants to know that there is room */
    boolean take(Told told) {
        long tail = (long) LONG.getAcquire(area, COMPLETION_TAIL);
        if (tail == completionHead) {
            return false;
        }
        while (completionHead != tail) {
            int at = completions + (int) (completionHead & 2L * entries - 1) * COMPLETION_BYTES;
            byte[] text = new byte[area.getInt(at + 32)];
            if (text.length > 0) {
                area.get((int) area.getLong(at + 24), text);
            }
            told.completion(
                    area.getLong(at),
                    area.getInt(at + 8),
                    area.getInt(at + 12),
                    area.getLong(at + 16),
                    text,
                    new Mailbox(area.getLong(at + 40), area.getLong(at + 48)));
            completionHead++;
        }
        LONG.setRelease(area, COMPLETION_HEAD, completionHead);
        VarHandle.fullFence();
        return rings(ROOM_WANTED);
    }

    /** Says that this side sleeps. @return whether there is something already */
    boolean sleeps() {
        INT.setRelease(area, CLIENT_WAITS, 1);
        VarHandle.fullFence();
        return (long) LONG.getAcquire(area, COMPLETION_TAIL) != completionHead;
    }
}
