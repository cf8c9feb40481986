package org.sluice.stats;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;
import org.sluice.ChannelTimes;

/**
 * Where a channel's time goes and how long its chunks take. The agent that owns the channel writes, with the time at which its
 * turn began; anybody reads. Nothing here reads a clock or allocates, unless a flight recording asks for an event per chunk.
 */
public final class ChannelTiming {
    private static final VarHandle NANOS = MethodHandles.arrayElementVarHandle(long[].class);
    private static final VarHandle CHUNK_NANOS = field("chunkNanos", long.class);
    private static final VarHandle IN_FLIGHT = field("inFlight", int.class);
    private static final VarHandle WINDOW = field("window", int.class);

    private static final @Nullable ChunkEvent[] NO_EVENTS = {};

    private final LatencyHistogram latency = new LatencyHistogram();
    private final long[] nanos = new long[ChannelState.COUNT];
    private final ChunkEvent.Source source;
    private long chunkNanos;
    private int inFlight;
    private int window;
    private ChannelState state = ChannelState.IDLE;
    private long turnedAt;
    private long[] beganAt = {};
    /** Made with the first chunk that a flight recording asks for. */
    private @Nullable ChunkEvent[] events = NO_EVENTS;

    private static VarHandle field(String name, Class<?> type) {
        try {
            return MethodHandles.lookup().findVarHandle(ChannelTiming.class, name, type);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** @param source how a flight recording names the channel */
    public ChannelTiming(ChunkEvent.Source source) {
        this.source = source;
    }

    /** The channel begins a life. @param slots chunks that can be in flight, a power of two */
    public void open(int slots) {
        beganAt = new long[slots];
        events = NO_EVENTS;
    }

    /** More chunks can be in flight now. @param slots a power of two @param oldest the first in flight @param next the next to begin */
    public void grow(int slots, long oldest, long next) {
        long[] times = new long[slots];
        @Nullable ChunkEvent[] recorded = events.length == 0 ? events : new ChunkEvent[slots];
        for (long n = oldest; n < next; n++) {
            int from = (int) n & (beganAt.length - 1);
            int to = (int) n & (slots - 1);
            times[to] = beganAt[from];
            if (recorded.length > 0) {
                recorded[to] = events[from];
            }
        }
        beganAt = times;
        events = recorded;
    }

    /** The channel's n-th chunk is in flight from now on. */
    public void began(long n, long now) {
        int slot = (int) n & (beganAt.length - 1);
        beganAt[slot] = now;
        ChunkEvent event = ChunkEvent.beginIfRecorded();
        if (event != null) {
            if (events.length == 0) {
                events = new ChunkEvent[beganAt.length];
            }
            events[slot] = event;
        }
    }

    /** The channel's n-th chunk is where it was to go. */
    public void ended(long n, long transfer, long offset, long bytes, long now) {
        int slot = (int) n & (beganAt.length - 1);
        latency.record(now - beganAt[slot]);
        ChunkEvent event = events.length == 0 ? null : events[slot];
        if (event != null) {
            events[slot] = null;
            event.commit(source, transfer, offset, bytes);
        }
    }

    /**
     * A turn is over: the time until the next counts for this state.
     *
     * @param chunks in flight
     * @param limit most chunks in flight at present
     */
    public void turned(ChannelState next, int chunks, int limit, long now) {
        long since = turnedAt == 0 ? 0 : now - turnedAt;
        turnedAt = now;
        if (since > 0) {
            int s = state.slot;
            NANOS.setRelease(nanos, s, nanos[s] + since);
            if (inFlight > 0) {
                CHUNK_NANOS.setRelease(this, chunkNanos + since * inFlight);
            }
        }
        state = next;
        if (chunks != inFlight) {
            IN_FLIGHT.setRelease(this, chunks);
        }
        if (limit != window) {
            WINDOW.setRelease(this, limit);
        }
    }

    /** What has been counted until now. */
    public ChannelTimes snapshot() {
        return new ChannelTimes(
                of(ChannelState.IDLE),
                of(ChannelState.NO_GRANT),
                of(ChannelState.NO_SLOT),
                of(ChannelState.SOCKET),
                of(ChannelState.STAGING),
                (long) CHUNK_NANOS.getAcquire(this),
                (int) IN_FLIGHT.getAcquire(this),
                (int) WINDOW.getAcquire(this),
                latency.snapshot());
    }

    private long of(ChannelState s) {
        return (long) NANOS.getAcquire(nanos, s.slot);
    }
}
