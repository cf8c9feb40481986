package org.sluice.cli.watch;

/**
 * What had been counted at a moment. Arrays are in the order of the node's GPUs and NICs.
 *
 * @param seconds since the watch began
 * @param gpuBytes payload sent and landed
 * @param nicSent payload, as the engine counts it
 * @param nicReceived payload, as the engine counts it
 * @param cpuSeconds of this process
 */
record Reading(double seconds, long[] gpuBytes, long[] nicSent, long[] nicReceived, double cpuSeconds) {
    /** All GPUs together. */
    long bytes() {
        long sum = 0;
        for (long b : gpuBytes) {
            sum += b;
        }
        return sum;
    }

    /** All payload over a NIC. */
    long nicBytes(int nic) {
        return nicSent[nic] + nicReceived[nic];
    }
}
