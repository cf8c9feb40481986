package org.sluice.cli.plan;

/**
 * What a job with one peer takes of what limits bound. Over kernel sockets the GPUs share connections and I/O threads: more GPUs take no
 * more of either. A plugin has its own for each GPU and channel.
 *
 * @param sockets data connections, both directions
 * @param files descriptors, those of the JVM and the command included
 * @param threads the JVM's included
 */
public record JobCost(long sockets, long files, long threads) {
    /** The JVM's own, log and console, listeners, strangers, and what a plugin opens besides its sockets. */
    private static final long OTHER_FILES = 256;

    /** The JVM's own, and what a node has whatever its links. */
    private static final long OTHER_THREADS = 40;

    /** Each direction has so many I/O threads at least, else one for each CPU. */
    private static final int LEAST_IO_THREADS = 4;

    /** A thread that waits has an epoll and an eventfd. */
    private static final int FILES_OF_A_THREAD = 2;

    /** @param cpus of this process */
    public static JobCost of(JobPlan plan, int cpus) {
        long connections = 2L * plan.channels() * plan.sockets();
        if (plan.usesPlugin()) {
            // and a listener for each receiving channel while links are made
            long sockets = plan.gpus() * (connections + 2L * plan.channels());
            return new JobCost(sockets, sockets + OTHER_FILES, OTHER_THREADS + plan.gpus() * (1 + connections));
        }
        long io = 2L * Math.max(LEAST_IO_THREADS, cpus);
        long control = plan.gpus();
        long waiting = FILES_OF_A_THREAD * (io + plan.gpus());
        return new JobCost(
                connections, connections + control + waiting + OTHER_FILES, OTHER_THREADS + plan.gpus() + io);
    }
}
