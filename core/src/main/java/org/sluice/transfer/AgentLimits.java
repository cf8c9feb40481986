package org.sluice.transfer;

import java.time.Duration;
import org.sluice.NodeConfig;

/**
 * How long others wait for an agent, and it for work; and what it may pin.
 *
 * @param call for an answer, where what was asked for has no size
 * @param close for all that closing a node or a link takes
 * @param spin how long it looks for work before it rests
 * @param hang how long an agent may be away before its links are given up: long work of the GPU or a plugin is not a fault
 * @param stagingBytes most pinned host memory in each direction
 */
public record AgentLimits(Duration call, Duration close, Duration hang, Duration spin, long stagingBytes) {
    /** Below the ten seconds that a process has between a signal and its end. */
    private static final Duration MOST_CLOSE = Duration.ofSeconds(5);

    /** Slowest that memory is touched, registered or copied: first touch of cold pages on a busy machine. */
    private static final long BYTES_PER_SECOND = 500_000_000;

    /** What follows from the deadline of each phase. */
    public static AgentLimits of(Duration deadline) {
        return new AgentLimits(
                deadline,
                deadline.compareTo(MOST_CLOSE) < 0 ? deadline : MOST_CLOSE,
                deadline,
                Duration.ZERO,
                NodeConfig.STAGING_BYTES);
    }

    /** The same, with another {@link #spin}. */
    public AgentLimits spinning(Duration atMost) {
        return new AgentLimits(call, close, hang, atMost, stagingBytes);
    }

    /** The same, with another {@link #stagingBytes}. */
    public AgentLimits staging(long bytes) {
        return new AgentLimits(call, close, hang, spin, bytes);
    }

    /** For an answer about so much memory. */
    public Duration call(long bytes) {
        return call.plusMillis(bytes / (BYTES_PER_SECOND / 1000));
    }
}
