package org.sluice.peer;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.ProtocolException;
import org.sluice.Where;
import org.sluice.spi.CopyQueue;
import org.sluice.spi.Gpu;
import org.sluice.spi.GpuException;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.ListQueue;
import org.sluice.spi.MemorySharing;
import org.sluice.spi.PartsConnection;
import org.sluice.spi.TransportException;
import org.sluice.stats.ChannelCounters;
import org.sluice.transfer.Agent;
import org.sluice.transfer.MemoryBlock;
import org.sluice.transfer.PulledMemory;
import org.sluice.wire.ControlConnection;

/**
 * The memory that the two ends of a link on one host share. First each side proves that it can copy from the other; then a block goes to
 * the peer when a transfer first needs it, and comes back when it is freed.
 *
 * <p>Everything here belongs to the agent, but for what is done {@link #inBackground} and what the transport's thread tells: both hand over
 * to the agent by {@link #onLink}.
 */
final class LinkSharing implements PulledMemory {
    private static final Logger log = LoggerFactory.getLogger(LinkSharing.class);

    /** What {@link ControlConnection#held} says of a block. */
    static final int OPEN = 0;

    static final int CANNOT = 1;
    static final int GONE = 2;

    private static final int PROBE = PartsExchange.PROBE;

    /** A host GPU copies at once: the agent is not to be away for longer than a fraction of a millisecond. */
    private static final long HOST_STEP = 4 << 20;

    /** A third of a millisecond over NVLink, five over PCIe. Steps of 64 MiB are slower (transfers of 1 GiB), those of 256 MiB no faster. */
    private static final long DEVICE_STEP = 128 << 20;

    private final Agent agent;
    private final Gpu gpu;
    private final MemorySharing sharing;
    private final NodeSharing node;
    private final ControlConnection control;
    private final boolean server;
    private final Duration limit;
    private final Where where;
    private final SharingThread thread;
    private final PartsExchange exchange;
    private final ExportedBlocks exported = new ExportedBlocks();
    private final ImportedBlocks imported = new ImportedBlocks(this::close);
    private final ChannelCounters sent = new ChannelCounters();
    private final ChannelCounters received = new ChannelCounters();
    private final CompletableFuture<String> decided = new CompletableFuture<>();
    private final CompletableFuture<Void> freed = new CompletableFuture<>();
    private volatile boolean ended;
    private Consumer<Runnable> onLink = run -> {};
    private boolean on;
    private boolean peerHasOurs;
    private boolean weHaveTheirs;

    LinkSharing(
            Agent agent,
            MemorySharing sharing,
            NodeSharing node,
            ControlConnection control,
            boolean server,
            String peer,
            Duration limit,
            Where where) {
        this.agent = agent;
        this.gpu = agent.gpu();
        this.sharing = sharing;
        this.node = node;
        this.control = control;
        this.server = server;
        this.limit = limit;
        this.where = where;
        this.thread = new SharingThread(gpu);
        this.exchange = new PartsExchange(gpu, sharing, node.transport(), peer, thread, new Heard());
        node.track(freed);
    }

    /** @param link runs what comes later on the agent, where what it throws ends the link */
    void begin(Consumer<Runnable> link) {
        onLink = run -> link.accept(() -> {
            if (!ended) {
                run.run();
            }
        });
        agent.timer().in(limit, () -> onLink.accept(() -> decide("the peer did not answer in time")));
        if (server) {
            inBackground(() -> {
                try {
                    byte[] handle = exchange.listen();
                    onLink.accept(() -> control.shareDoor(handle));
                } catch (TransportException e) {
                    cannot(String.valueOf(e.getMessage()));
                }
            });
        }
    }

    /** Completes with nothing where memory is shared, else with the reason why not. */
    CompletableFuture<String> decided() {
        return decided;
    }

    /** Who is at the other end, as the kernel says. */
    String peerProcess() {
        PartsConnection c = exchange.connection();
        return c == null ? "nobody" : c.peer();
    }

    ChannelCounters counters(boolean sending) {
        return sending ? sent : received;
    }

    private void decide(String whyNot) {
        if (decided.isDone() || ended) {
            return;
        }
        on = whyNot.isEmpty();
        if (!on) {
            log.info("{}: {} is not used: {}", where, node.transport().name(), whyNot);
        }
        decided.complete(whyNot);
    }

    private void inBackground(Runnable task) {
        if (!thread.run(task)) {
            onLink.accept(() -> decide("the machine gives no thread"));
        }
    }

    /** What becomes of parts of memory that are handed over, on the agent. */
    private final class Heard implements PartsExchange.Told {
        @Override
        public void proven() {
            onLink.accept(() -> {
                weHaveTheirs = true;
                control.held(PROBE, OPEN, "");
                bothProven();
            });
        }

        @Override
        public void cannot(int number, String why) {
            if (number == PROBE) {
                LinkSharing.this.cannot(why);
            } else {
                onLink.accept(() -> control.held(number, CANNOT, why));
            }
        }

        @Override
        public void opened(int number, GpuMemory memory) {
            onLink.accept(() -> LinkSharing.this.opened(number, memory));
        }

        @Override
        public void broken(String why) {
            onLink.accept(() -> decide(why));
        }
    }

    private void opened(int number, GpuMemory memory) {
        if (number < 0 || imported.open(number) != null || imported.size() >= ImportedBlocks.MOST) {
            thread.run(memory::close);
            throw new ProtocolException(where, "the peer shares block " + number + " twice, or more than it may");
        }
        imported.add(number, memory);
        control.held(number, OPEN, "");
    }

    /** Says that nothing of the peer's is to be had here. */
    private void cannot(String why) {
        onLink.accept(() -> {
            control.held(PROBE, CANNOT, why);
            decide(why);
        });
    }

    private void bothProven() {
        if (weHaveTheirs && peerHasOurs) {
            decide("");
        }
    }

    // what the peer says on the control connection

    void onDoor(byte[] handle) {
        if (server || decided.isDone()) {
            return;
        }
        inBackground(() -> {
            try {
                exchange.connect(handle);
            } catch (TransportException e) {
                cannot(String.valueOf(e.getMessage()));
            }
        });
    }

    void onHeld(int number, int state, String why) {
        if (number == PROBE) {
            peerHasOurs = state == OPEN;
            if (peerHasOurs) {
                bothProven();
            } else {
                decide("at the peer: " + why);
            }
            return;
        }
        ExportedBlocks.Export e = exported.numbered(number);
        if (e == null) {
            throw new ProtocolException(where, "the peer speaks of block " + number + ", which was not shared with it");
        }
        switch (state) {
            case OPEN -> {
                e.state = number;
                if (e.isUnwanted) {
                    takeBack(e);
                }
            }
            case CANNOT -> never(e, "at the peer: " + why);
            case GONE -> exported.gone(e);
            default -> throw new ProtocolException(where, "the peer says that a block is in state " + state);
        }
    }

    void onUnshare(int number) {
        if (!imported.takeBack(number)) {
            throw new ProtocolException(where, "the peer takes block " + number + " back, which is not open here");
        }
    }

    private void never(ExportedBlocks.Export e, String why) {
        e.state = NEVER;
        if (e.isUnwanted) {
            exported.gone(e);
        }
        log.warn(
                "{}: {} bytes at 0x{} are not shared with the peer, their transfers take another way: {}",
                where,
                e.block.memory().size(),
                Long.toHexString(e.block.memory().address()),
                why);
    }

    /** Nobody uses it, and the peer wants it back. */
    private void close(int number) {
        GpuMemory memory = imported.remove(number);
        if (memory != null) {
            inBackground(() -> {
                memory.close();
                onLink.accept(() -> control.held(number, GONE, ""));
            });
        }
    }

    /** The block is to be freed. @return completes when the peer has let go of it */
    CompletableFuture<Void> forget(MemoryBlock block) {
        ExportedBlocks.Export e = exported.forget(block);
        if (e == null || e.state == NEVER || ended) {
            return CompletableFuture.completedFuture(null);
        }
        if (e.state == NOT_YET) {
            e.isUnwanted = true; // the peer's answer is on its way
        } else {
            takeBack(e);
        }
        return e.gone;
    }

    private void takeBack(ExportedBlocks.Export e) {
        e.state = NEVER;
        control.unshare(e.number);
    }

    // what the data plane asks

    @Override
    public boolean isOn() {
        return on;
    }

    @Override
    public int number(MemoryBlock block) {
        ExportedBlocks.Export e = exported.of(block);
        if (e == null) {
            e = exported.add(block);
            export(e);
        }
        return e.state;
    }

    private void export(ExportedBlocks.Export e) {
        PartsConnection over = exchange.connection();
        inBackground(() -> {
            try {
                exchange.send(over, e.number, e.block.memory());
            } catch (GpuException | IllegalStateException why) {
                onLink.accept(() -> never(e, String.valueOf(why.getMessage())));
            }
        });
    }

    @Override
    public @Nullable MemoryBlock open(int number) {
        return imported.open(number);
    }

    @Override
    public void use(int number) {
        imported.use(number);
    }

    @Override
    public void release(int number) {
        imported.release(number);
    }

    @Override
    public boolean isDemanded() {
        return node.isDemanded();
    }

    @Override
    public void giveUp() {
        PartsConnection c = exchange.connection();
        if (c != null) {
            c.giveUp();
        }
    }

    @Override
    public boolean peerGaveUp() {
        PartsConnection c = exchange.connection();
        return c == null || c.peerGaveUp();
    }

    @Override
    public long stepBytes() {
        return gpu.hostAccessible() ? HOST_STEP : DEVICE_STEP;
    }

    @Override
    public CopyQueue copies(int capacity) {
        return sharing.copyQueue(capacity);
    }

    @Override
    public ListQueue lists(int moves) {
        return sharing.listQueue(moves);
    }

    @Override
    public void count(boolean sending, long bytes) {
        counters(sending).chunk(bytes);
    }

    /** The link is over and its copies have ended: what is open is closed, in the background, whatever the peer does. */
    void end() {
        if (ended) {
            return;
        }
        on = false;
        ended = true;
        exchange.end();
        decided.complete("the link has ended");
        exported.allGone();
        boolean begun = thread.run(() -> {
            try {
                exchange.close();
            } finally {
                freed.complete(null);
            }
        });
        if (!begun) {
            freed.complete(null);
        }
        thread.end();
    }
}
