package org.sluice.daemon;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/** Makes requests of what a client submitted. Works on the daemon's copy of an entry. Serving thread only. */
final class Submissions {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final long MOST_DEADLINE = Long.MAX_VALUE / 4;

    private final ClientSession client;
    private final Area area;
    private final PieceLists lists;
    private final long usualDeadline;

    Submissions(ClientSession client, Area area, PieceLists lists, long usualDeadline) {
        this.client = client;
        this.area = area;
        this.lists = lists;
        this.usualDeadline = usualDeadline;
    }

    void take(MemorySegment entry) {
        long number = entry.get(LONG, 8);
        try {
            int operation = Byte.toUnsignedInt(entry.get(ValueLayout.JAVA_BYTE, 0));
            switch (operation) {
                case Protocol.WRITE, Protocol.READ, Protocol.NOTIFY -> client.begin(job(entry, number, operation));
                case Protocol.CANCEL -> client.cancel(number, entry.get(LONG, 24));
                default -> throw new ClientException(Status.INVALID, "there is no operation " + operation);
            }
        } catch (ClientException e) {
            client.failed(number, e);
        }
    }

    private Job job(MemorySegment entry, long number, int operation) {
        int flags = Byte.toUnsignedInt(entry.get(ValueLayout.JAVA_BYTE, 1));
        SharedLink link = client.holdings().link(entry.get(INT, 4));
        @Nullable Notification note = (flags & Protocol.WITH_NOTE) != 0 || operation == Protocol.NOTIFY ? note(entry) : null;
        Plan plan = operation == Protocol.NOTIFY ? Plan.empty(0) : plan(entry, flags);
        if (!plan.isOn(link.gpu())) {
            ClientMemory other = plan.memoryNotOn(link.gpu());
            throw new ClientException(
                    Status.INVALID,
                    "memory " + other.number() + " is on GPU " + other.gpu() + ", the link on GPU " + link.gpu());
        }
        long deadline = entry.get(LONG, 104);
        long nanos = deadline <= 0 ? usualDeadline : Math.min(deadline, MOST_DEADLINE);
        return new Job(number, link, operation == Protocol.READ, plan, note, System.nanoTime() + nanos);
    }

    private Notification note(MemorySegment entry) {
        int length = entry.get(INT, 84);
        if (length < 0 || length > Quotas.MOST_NOTE) {
            throw new ClientException(
                    Status.INVALID,
                    "a notification has at most " + Quotas.MOST_NOTE + " bytes, not "
                            + Integer.toUnsignedString(length));
        }
        byte[] bytes = PieceLists.bytes(area, entry.get(INT, 80), length);
        return new Notification(new Key(entry.get(LONG, 88), entry.get(LONG, 96)), client.mailbox(), bytes);
    }

    private Plan plan(MemorySegment entry, int flags) {
        if ((flags & Protocol.PREPARED) != 0) {
            return client.holdings().prepared(entry.get(INT, 64));
        }
        if ((flags & Protocol.LISTED) != 0) {
            return lists.plan(entry.get(INT, 64), entry.get(INT, 68), entry.get(INT, 72), entry.get(INT, 76));
        }
        ClientMemory memory = client.holdings().memory(entry.get(INT, 16));
        long offset = entry.get(LONG, 24);
        long bytes = entry.get(LONG, 32);
        long remoteOffset = entry.get(LONG, 56);
        memory.check(offset, bytes);
        if (remoteOffset < 0 || remoteOffset + bytes < 0) {
            throw new ClientException(Status.BOUNDS, "a remote offset that goes beyond 2^63");
        }
        return bytes == 0
                ? Plan.empty(0)
                : Plan.one(memory, offset, entry.get(LONG, 40), entry.get(LONG, 48), remoteOffset, bytes);
    }
}
