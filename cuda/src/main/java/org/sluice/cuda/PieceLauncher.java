package org.sluice.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A ring of pieces in pinned memory and the launches that copy them: what queues of lists are made of. Pieces are cut so that each
 * warp moves about as much, and a launch takes all that the ring holds.
 *
 * <p>Two streams take turns with one launch each, so that the GPU has the next when one ends. What is flushed meanwhile waits and
 * shares the launch after it: the less the agent keeps up, the more a launch carries.
 */
@SuppressWarnings("restricted")
final class PieceLauncher implements AutoCloseable {
    /** Short pieces keep fewer bytes in flight a warp, so more warps are used: at most this many times as many. */
    private static final int MOST_BLOCKS_FACTOR = 8;

    // as in kernels.cu
    private static final int WARPS = 16;
    private static final int THREADS = 32 * WARPS;
    private static final long ITEM_BYTES = 32;
    private static final long ITEM_DESTINATION = 0;
    private static final long ITEM_SOURCE = 8;
    private static final long ITEM_LENGTH = 16;

    /** What a warp is given of a long piece: eight 16-byte loads a lane, all in flight together. */
    private static final long WARP_BYTES = 4096;

    /** The most of a share: an item's length, which may be half as long again, has 32 bits. */
    private static final long MOST_SHARE = 1L << 31;

    private static final int MOST_ITEMS = 1 << 26;

    /** Under way; what is flushed meanwhile shares the launch after them. */
    private static final int LAUNCHES = 2;

    private final CudaContext context;
    private final long function;
    private final int usualBlocks;
    private final int mostCuts;
    private final int chunkCapacity;
    private final int pieceCapacity;
    private final StreamPair streams;
    private final PinnedMemory pinned;
    private final MemorySegment ring;
    private final long mask;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment arguments = arena.allocate(4 * Long.BYTES, 8);
    private final MemorySegment parameters = arena.allocate(4 * Long.BYTES, 8);

    private long issued;
    private long piecesIssued;
    /** Ring positions count up for ever: up to {@code head} items are written, up to {@code launchedHead} launched. */
    private long head;

    private long launchedHead;
    private long launchedTicket;
    /** The highest ticket that was flushed. */
    private long flushed;

    private long heldBytes;

    /**
     * @param blocks of a launch of pieces that are long enough, one an SM
     * @param mostCuts the most items that cutting adds to a chunk; items of very long chunks are longer instead
     * @param chunks the most entries in flight, each with a ticket
     * @param pieces the most pieces in flight, before they are cut
     */
    PieceLauncher(CudaContext context, long function, int blocks, int mostCuts, int chunks, int pieces) {
        long items = (long) chunks * mostCuts + pieces;
        if (chunks < 1 || pieces < 1 || items > MOST_ITEMS) {
            throw new IllegalArgumentException(
                    context.where() + ": a queue for " + chunks + " chunks and " + pieces + " pieces is not possible");
        }
        this.context = context;
        this.function = function;
        this.usualBlocks = blocks;
        this.mostCuts = mostCuts;
        this.chunkCapacity = chunks;
        this.pieceCapacity = pieces;
        long size = Long.highestOneBit(items * 2 - 1);
        this.mask = size - 1;
        this.pinned = new PinnedMemory(context, size * ITEM_BYTES);
        this.ring = pinned.segment();
        this.streams = new StreamPair(context, LAUNCHES);
        for (int i = 0; i < 4; i++) {
            parameters.setAtIndex(ValueLayout.JAVA_LONG, i, arguments.address() + (long) i * Long.BYTES);
        }
        arguments.setAtIndex(ValueLayout.JAVA_LONG, 0, pinned.deviceAddress());
        arguments.setAtIndex(ValueLayout.JAVA_LONG, 3, mask);
    }

    boolean hasRoom(int pieces) {
        if (fits(pieces)) {
            return true;
        }
        progress();
        return fits(pieces);
    }

    private boolean fits(int pieces) {
        return issued - streams.ticket() < chunkCapacity && piecesIssued - streams.mark() + pieces <= pieceCapacity;
    }

    /** @throws IllegalStateException without room for so many pieces */
    void checkRoom(int pieces) {
        streams.checkWorks();
        if (!hasRoom(pieces)) {
            throw new IllegalStateException(context.where() + ": no room for a chunk of " + pieces + " pieces: "
                    + (issued - streams.ticket()) + " chunks of " + (piecesIssued - streams.mark())
                    + " pieces are in flight, and "
                    + chunkCapacity + " of " + pieceCapacity + " are the most");
        }
    }

    /** What to throw when the pieces of a chunk are not what it says. */
    IllegalArgumentException wrongSum(int pieces, long bytes) {
        return new IllegalArgumentException(
                context.where() + ": the " + pieces + " pieces of a chunk do not sum to its " + bytes
                        + " bytes, or it is longer than " + mostCuts * MOST_SHARE);
    }

    /** Where the next chunk's first item goes. */
    long position() {
        return head;
    }

    /** How much of a long piece a warp is given, -1 for a chunk that is too long. */
    long share(long bytes) {
        return bytes < 0 || bytes > mostCuts * MOST_SHARE
                ? -1
                : Math.max(WARP_BYTES, (bytes / mostCuts + WARP_BYTES - 1) & -WARP_BYTES);
    }

    /** Writes a piece, cut into shares, behind a position. @return the position behind it */
    long write(long position, long destination, long source, long length, long share) {
        if (length < share + share / 2) {
            if (length > 0) {
                item(position++, destination, source, length);
            }
            return position;
        }
        // equal parts of about a share, whole vectors each: at most length / share more items than pieces
        long parts = (length + share / 2) / share;
        long part = ((length + parts - 1) / parts + 15) & -16;
        for (long cut = 0; cut < length; cut += part) {
            item(position++, destination + cut, source + cut, Math.min(part, length - cut));
        }
        return position;
    }

    private void item(long position, long destination, long source, long length) {
        long at = (position & mask) * ITEM_BYTES;
        ring.set(ValueLayout.JAVA_LONG, at + ITEM_DESTINATION, destination);
        ring.set(ValueLayout.JAVA_LONG, at + ITEM_SOURCE, source);
        ring.set(ValueLayout.JAVA_LONG, at + ITEM_LENGTH, length);
    }

    /** What was written up to a position is a chunk. @param pieces as they were counted for room @return its ticket */
    long issue(long end, int pieces, long bytes) {
        head = end;
        heldBytes += bytes;
        piecesIssued += pieces;
        return ++issued;
    }

    void flush() {
        streams.checkWorks();
        flushed = issued;
        launchWhatIsFlushed();
    }

    private void launchWhatIsFlushed() {
        if (launchedTicket < flushed && streams.isFree()) {
            launch();
        }
    }

    /** Everything held back, flushed or not. */
    private void launch() {
        long items = head - launchedHead;
        long bytes = heldBytes;
        arguments.setAtIndex(ValueLayout.JAVA_LONG, 1, launchedHead);
        arguments.setAtIndex(ValueLayout.JAVA_LONG, 2, items);
        launchedHead = head;
        heldBytes = 0;
        launchedTicket = issued;
        flushed = issued;
        if (items > 0) {
            int blocks = blocks(items, bytes);
            streams.check(
                    context.driver().launch(function, blocks, THREADS, streams.stream(), parameters.address()),
                    "cuLaunchKernel of sluice_pieces");
        }
        streams.launched(issued, piecesIssued);
    }

    private int blocks(long items, long bytes) {
        long factor = Math.clamp(WARP_BYTES * items / Math.max(1, bytes), 1, MOST_BLOCKS_FACTOR);
        return (int) Math.min(usualBlocks * factor, (items + WARPS - 1) / WARPS);
    }

    long completed() {
        streams.checkWorks();
        streams.poll();
        launchWhatIsFlushed();
        return streams.ticket();
    }

    private void progress() {
        streams.progress();
        launchWhatIsFlushed();
    }

    /** Waits for the streams, then frees all. Everything may fail in a broken context, and nothing is left then. */
    @Override
    public void close() {
        try {
            streams.await();
            if (!streams.isBroken()) {
                progress();
                if (launchedTicket < issued) {
                    launch();
                }
                streams.await();
            }
        } finally {
            streams.close();
            pinned.close();
            arena.close();
        }
    }
}
