package org.sluice;

/**
 * How a link's transfers ended that this side's program asked for, both directions together.
 *
 * @param done how many are done
 * @param failed how many failed
 * @param bytes of those that are done
 * @param durations from when both sides were ready for a transfer until its end was known here, as {@link Transfer} has it
 */
public record TransferStats(long done, long failed, long bytes, Latencies durations) {}
