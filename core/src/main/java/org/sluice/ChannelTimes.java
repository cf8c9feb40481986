package org.sluice;

/**
 * Where a channel's time went, in nanoseconds; the five states exclude each other. An agent looks at a channel once a turn, so
 * each is exact to the length of a turn.
 *
 * @param idleNanos nothing was to be moved, or nothing that this channel could have a part of
 * @param noGrantNanos sending: transfers were under way, but the receiver had granted nothing here, or had not said yet that all
 *     has landed
 * @param noSlotNanos the transport took no further request
 * @param socketNanos chunks were with the transport: sending, it had not taken their last byte (a full socket); receiving, their
 *     last byte had not come. On a busy rail this is nearly all the time, and says that the wire or the other side sets the pace
 * @param stagingNanos chunks were being copied or unpacked and nothing was with the transport
 * @param chunkNanos chunks in flight, integrated over time
 * @param inFlight chunks in flight now
 * @param window the most chunks in flight that are allowed now
 * @param latency per chunk: sending, from its grant until the transport had taken its last byte; receiving, from the posting of
 *     its buffer until its last byte was in its destination
 */
public record ChannelTimes(
        long idleNanos,
        long noGrantNanos,
        long noSlotNanos,
        long socketNanos,
        long stagingNanos,
        long chunkNanos,
        int inFlight,
        int window,
        Latencies latency) {
    /** What a channel without instrumentation says. */
    public static final ChannelTimes NONE = new ChannelTimes(0, 0, 0, 0, 0, 0, 0, 0, Latencies.NONE);

    /** Time in which something was to be moved. */
    public long busyNanos() {
        return noGrantNanos + noSlotNanos + socketNanos + stagingNanos;
    }

    /** Chunks in flight in the mean, while something was to be moved. */
    public double occupancy() {
        long busy = busyNanos();
        return busy == 0 ? 0 : (double) chunkNanos / busy;
    }
}
