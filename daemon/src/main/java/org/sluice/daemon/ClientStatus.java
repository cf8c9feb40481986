package org.sluice.daemon;

/**
 * One client, as {@code sluice daemon status} and the metrics show it.
 *
 * @param number counted from the daemon's start
 * @param name what its program calls itself
 * @param pid its process, as the daemon sees it; 0 where it does not
 * @param uid its user
 * @param memories registrations
 * @param memoryBytes their bytes
 * @param links its links
 * @param counts what its requests came to
 * @param seconds since it came
 */
public record ClientStatus(
        long number,
        String name,
        int pid,
        int uid,
        int memories,
        long memoryBytes,
        int links,
        ClientCounts counts,
        double seconds) {}
