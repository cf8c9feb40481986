package org.sluice.client;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A link to a GPU of another daemon. Any thread may use it; nothing waits but what says so. */
public final class Link implements AutoCloseable {
    private final SluiceClient client;
    private final String address;
    private final int localGpu;
    private final int remoteGpu;
    private volatile int number;

    Link(SluiceClient client, String address, int localGpu, int remoteGpu, int number) {
        this.client = client;
        this.address = address;
        this.localGpu = localGpu;
        this.remoteGpu = remoteGpu;
        this.number = number;
    }

    String address() {
        return address;
    }

    int localGpu() {
        return localGpu;
    }

    int remoteGpu() {
        return remoteGpu;
    }

    int number() {
        return number;
    }

    void renumber(int fresh) {
        number = fresh;
    }

    /** The key of memory that somebody at the other end shares under a name. Waits for it. */
    public RemoteKey remote(String name, Duration atMost) {
        return client.imported(number, name, atMost);
    }

    /** Writes into memory of another client. */
    public Transfer write(SharedMemory from, long offset, long bytes, RemoteKey to, long toOffset) {
        return client.post(
                Submission.move(Submission.WRITE, number, from.number(), offset, bytes, to, toOffset), null, null);
    }

    /** As {@link #write(SharedMemory, long, long, RemoteKey, long)}; the note reaches the mailbox once all bytes are there. */
    public Transfer write(
            SharedMemory from, long offset, long bytes, RemoteKey to, long toOffset, Mailbox mailbox, byte[] note) {
        return client.post(
                Submission.move(Submission.WRITE, number, from.number(), offset, bytes, to, toOffset), mailbox, note);
    }

    /** Reads memory of another client. */
    public Transfer read(SharedMemory to, long offset, long bytes, RemoteKey from, long fromOffset) {
        return client.post(
                Submission.move(Submission.READ, number, to.number(), offset, bytes, from, fromOffset), null, null);
    }

    /** A notification alone. @param note up to 60000 bytes */
    public Transfer notify(Mailbox mailbox, byte @Nullable [] note) {
        return client.post(Submission.bare(Submission.NOTIFY, number), mailbox, note);
    }

    @Override
    public void close() {
        client.unlink(this);
    }
}
