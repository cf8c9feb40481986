package org.sluice;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * All channels between a local and a remote GPU. The n-th {@link #send} of one side meets the n-th {@link #receive} of the
 * other; many may be under way. With a peer's {@link RemoteRegion} key, {@link #write} and {@link #read} need nobody there.
 *
 * <p>Any thread may use it; calls of one thread keep their order. Nothing here waits but what says so.
 */
public interface Link extends AutoCloseable {
    /** The local GPU. */
    int gpu();

    /** The peer's address and GPU, as messages name it. */
    String peer();

    /** Which way its bytes go, and why. Transfers of memory that cannot be shared go over the network's transport all the same. */
    LinkPath path();

    /** What the client's program sent with its offer; empty on the client. */
    byte[] offeredNote();

    /** A snapshot of what each channel has carried, sending channels first. */
    List<ChannelStats> channels();

    /** A snapshot of all that is counted. */
    LinkStats stats();

    /**
     * What is below the transport says of each open channel now; empty when the link has ended, and while the GPU's agent does not come
     * back from a call, for which this waits no longer than a second.
     */
    List<ChannelConnections> connections();

    /** Sends the bytes {@code [offset, offset + length)} of a region of this link's GPU; they must stay as they are until it is done. */
    default Transfer send(Region region, long offset, long length) {
        return send(Layout.range(region, offset, length), TransferOptions.NONE);
    }

    /** Receives exactly {@code length} bytes into a region of this link's GPU. */
    default Transfer receive(Region region, long offset, long length) {
        return receive(Layout.range(region, offset, length), TransferOptions.NONE);
    }

    /** Writes into a region of the peer's; it need not do anything. */
    default Transfer write(Region from, long offset, long length, RemoteRegion to, long toOffset) {
        return write(
                Layout.range(from, offset, length), RemoteLayout.range(to, toOffset, length), TransferOptions.NONE);
    }

    /** Reads from a region of the peer's; it need not do anything. */
    default Transfer read(Region to, long offset, long length, RemoteRegion from, long fromOffset) {
        return read(
                Layout.range(to, offset, length), RemoteLayout.range(from, fromOffset, length), TransferOptions.NONE);
    }

    /**
     * Sends the bytes of a layout, which must stay as they are until it is done.
     *
     * @throws IllegalArgumentException when pieces are not inside their regions, or those are not of this link's GPU; as in all four
     */
    Transfer send(LocalSide from, TransferOptions options);

    /** Receives as many bytes as the layout has. Its pieces must not overlap. */
    Transfer receive(LocalSide to, TransferOptions options);

    /** Writes into the peer's memory. What is not inside the peer's regions, or overlaps there, fails with a {@link RemoteAccessException}. */
    Transfer write(LocalSide from, RemoteSide to, TransferOptions options);

    /** Reads from the peer's memory. The pieces of {@code to} must not overlap. */
    Transfer read(LocalSide to, RemoteSide from, TransferOptions options);

    /**
     * Posts many transfers with one call. Their ends come by {@link #poll(Completions)}, in the order in which they are known, not by a
     * future; what ends them early is a deadline or the link's end. The batch is empty after it.
     *
     * @throws IllegalArgumentException as the calls for one transfer do; then none is posted
     */
    void post(Batch batch);

    /**
     * Takes ends of transfers that were posted in batches, as many as are there and have room. Never waits.
     *
     * @return how many
     */
    int poll(Completions into);

    /** As {@link #poll(Completions)}, and waits for the first. @return 0 when there was none within {@code atMost} */
    int poll(Completions into, Duration atMost);

    /**
     * Checks a layout once, to be posted again and again on this link.
     *
     * @throws IllegalArgumentException when pieces are not inside their regions, or those are not of this link's GPU
     */
    PreparedLayout prepare(Layout layout);

    /**
     * Tells the peer a layout of its regions once, to be posted again and again on this link. A link has at most {@value
     * #MOST_PREPARED} of them at a time, of {@value #MOST_PREPARED_BYTES} bytes in sum, as much as the peer keeps: 128 for each, 16
     * for each region and 24 for each piece. Transfers with one that is too many fail with {@link ErrorCode#LIMIT}.
     */
    PreparedRemoteLayout prepare(RemoteLayout layout);

    /** The most prepared layouts of the peer's regions that are open on a link. */
    int MOST_PREPARED = 1024;

    /** What they may take at the peer. */
    long MOST_PREPARED_BYTES = 32 << 20;

    /** The next {@linkplain TransferOptions#notification notification} of the peer's that nobody has taken; never waits. */
    Optional<Notification> pollNotification();

    /** Completes with the next notification that nobody has taken; fails when the link ends first. */
    CompletableFuture<Notification> nextNotification();

    /** Has every notification told from now on, one after the other on a thread of its own, also those that wait. */
    void onNotification(Consumer<Notification> program);

    /** Makes a region known to every channel now, rather than at its first use. Waits. */
    void register(Region region);

    /**
     * Tells the peer's program something, in order with what else it is told. The peer gives credit as its program reads: a note that
     * it has no room for waits here, up to a thousand of them.
     *
     * @param note at most 64 KiB
     * @return completes when the note is on its way; fails when the link ends before, or with {@link ErrorCode#LIMIT} when too many
     *     wait here already
     */
    CompletableFuture<Void> note(byte[] note);

    /**
     * The next thing the peer's program said.
     *
     * @throws NotDoneException when nothing came within {@code atMost}; it may be waited for again
     * @throws SluiceException when the link ended, why
     */
    byte[] awaitNote(Duration atMost);

    /**
     * Gives the peer the key of a region under a name, in order with notes. A name that is shared already stands for this region then.
     *
     * @param name 1 to 1000 bytes in UTF-8, no control characters
     * @return completes when it is on its way; fails when the link ends before, or with {@link ErrorCode#LIMIT} when a thousand are
     *     shared already
     */
    CompletableFuture<Void> share(String name, Region region);

    /**
     * Takes a name back: the peer forgets it, and begins no more accesses with its key on this link; those under way go on.
     *
     * @return completes when accesses are refused here; fails when nothing is shared under this name
     */
    CompletableFuture<Void> withdraw(String name);

    /**
     * The key that the peer {@linkplain #share shares} under this name; completes when it has come, fails when the link ends. Asked
     * again after the peer has withdrawn the name, it waits for it again.
     */
    CompletableFuture<RemoteRegion> remoteRegion(String name);

    /** Completes with the reason when the link is over: a {@link ClosedException} after a goodbye, from either side. */
    CompletableFuture<SluiceException> ended();

    /** Whether the link ended with a goodbye rather than a failure. */
    boolean endedWell();

    /**
     * Says goodbye and frees the channels. Transfers that are not done fail. Idempotent; waits until nothing is in flight here, but
     * where a transfer's end is told it closes soon after instead.
     */
    @Override
    void close();
}
