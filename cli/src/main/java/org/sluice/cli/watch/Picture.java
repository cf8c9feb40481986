package org.sluice.cli.watch;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A run at a moment, or at its end: what the page draws, {@code /stats.json} serves and the other outputs are made from. Rates
 * are 10^9 bytes a second over the whole time until now.
 *
 * @param role {@code server}, {@code client} or {@code loopback}
 * @param startedAt ISO-8601
 * @param running whether the run is not over
 * @param seconds from the first chunk to the last byte landed once it is over; until then, until now
 * @param bytes payload sent and received
 * @param plannedBytes payload that the run is to move, 0 where only its time is set
 * @param cpuSeconds of this whole process, which with verification includes filling and comparing
 * @param movingCpuSeconds of the threads that move bytes: agents and transport I/O
 * @param movingCpuSecondsPerGb the same for each 10^9 bytes, null before the first
 * @param timeline rates between readings
 */
public record Picture(
        String role,
        String peer,
        String startedAt,
        boolean running,
        double seconds,
        long bytes,
        long plannedBytes,
        double gbPerSecond,
        double cpuSeconds,
        double movingCpuSeconds,
        @Nullable Double movingCpuSecondsPerGb,
        List<Setting> configuration,
        List<Verdict> verdicts,
        List<GpuPart> gpus,
        List<NicPart> nics,
        List<ChannelPart> channels,
        List<LatencyPart> latencies,
        TimelinePart timeline) {

    /** One line of the configuration. */
    public record Setting(String name, String value) {}

    /** A GPU. */
    public record GpuPart(
            int gpu, String name, long bytes, double gbPerSecond, long transfers, double transferP50Millis) {}

    /**
     * A NIC of this side.
     *
     * @param device the kernel's device behind it, null if there is none
     * @param bitsPerSecond its speed, 0 where unknown
     * @param share of all payload, 0 to 1
     * @param kernelSentBytes by the device during the run, null if there is none; loopback rails share one device, so each shows
     *     the whole
     * @param agrees whether engine and kernel agree on the device, null until the run is over
     * @param stalledSeconds for how long chunks have been in flight here and no byte has moved; 0 while bytes move
     * @param segmentsRetransmitted by its connections, as the kernel counts them
     * @param driverCounters counters of its driver that speak of losses and have moved during the run
     */
    public record NicPart(
            String nic,
            @Nullable String device,
            long bitsPerSecond,
            long sentBytes,
            long receivedBytes,
            double gbPerSecond,
            double share,
            @Nullable Long kernelSentBytes,
            @Nullable Long kernelReceivedBytes,
            @Nullable Double overheadSent,
            @Nullable Double overheadReceived,
            @Nullable Boolean agrees,
            double stalledSeconds,
            long segmentsSent,
            long segmentsRetransmitted,
            double rttMicros,
            List<Counter> driverCounters) {}

    /** A counter of a driver, since the run began. */
    public record Counter(String name, long value) {}

    /**
     * A channel of this side.
     *
     * @param direction {@code send} or {@code receive}
     * @param share of the payload of its GPU and direction, 0 to 1
     * @param state seconds by state: idle, no grant, no slot, socket, staging
     * @param occupancy chunks in flight in the mean, while something was to be moved
     */
    public record ChannelPart(
            int gpu,
            int channel,
            String direction,
            String nic,
            String peerNic,
            long bytes,
            long chunks,
            long damaged,
            long retried,
            double share,
            int inFlight,
            int window,
            double occupancy,
            StatePart state,
            double p50Micros,
            double p99Micros,
            double p999Micros,
            double maxMicros,
            double rttMicros,
            long segmentsRetransmitted) {}

    /** Seconds that a channel spent in each state. */
    public record StatePart(double idle, double noGrant, double noSlot, double socket, double staging) {}

    /** Chunk latencies of all channels of a direction. @param chunks how many were counted */
    public record LatencyPart(String direction, long chunks, double meanMicros, List<Quantile> quantiles) {}

    /** @param share of the chunks, in percent, that took at most so long */
    public record Quantile(double share, double micros) {}

    /** Rates between readings, in 10^9 bytes a second; {@code cpu} in cores. All lists are as long as {@code seconds}. */
    public record TimelinePart(List<Double> seconds, List<Line> gpus, List<Line> nics, List<Double> cpu) {}

    /** One GPU's or NIC's rates. */
    public record Line(String name, List<Double> gbPerSecond) {}

    /** Verdicts on NICs about which engine and kernel disagree. */
    public List<Verdict> disagreements() {
        return verdicts.stream()
                .filter(v -> !v.pass() && v.name().startsWith(Verdicts.KERNEL))
                .toList();
    }
}
