package org.sluice.daemon;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What one client may hold.
 *
 * @param memoryBytes bytes of registered memory
 * @param memories registrations
 * @param links links
 * @param pieces pieces of one list
 * @param prepared pieces of all prepared lists together
 * @param noteBytes bytes of notifications that wait for it beyond its area
 * @param clients clients at a time, of all users together
 * @param descriptors that are kept for GPU memory, one for each allocation of CUDA's virtual memory management
 */
public record Quotas(
        long memoryBytes,
        int memories,
        int links,
        int pieces,
        int prepared,
        long noteBytes,
        int clients,
        int descriptors) {
    /** 80 GiB in the pieces of 20 MiB that PyTorch's expandable segments have, twice. */
    private static final int MOST_DESCRIPTORS = 8192;

    /** Of the descriptors that this process may have, so that no client takes them all. */
    private static final int SHARE_OF_DESCRIPTORS = 8;

    /** Pieces in lists of one client's requests under way, those that are prepared not among them: about 100 MB. */
    static final int MOST_PIECES_UNDER_WAY = 2 << 20;

    /** Most bytes of a notification: what goes into a frame between nodes, less the daemon's head. */
    static final int MOST_NOTE = 60_000;

    public Quotas {
        if (memoryBytes < 1
                || memories < 1
                || links < 1
                || pieces < 1
                || prepared < 1
                || noteBytes < 0
                || clients < 1
                || descriptors < 1) {
            throw new IllegalArgumentException("quotas must be positive");
        }
    }

    /** The usual ones, half of this host's memory among them. */
    public static Quotas ofThisHost() {
        try {
            for (String line : Files.readAllLines(Path.of("/proc/meminfo"))) {
                if (line.startsWith("MemTotal:")) {
                    return usual(Long.parseLong(line.replaceAll("[^0-9]", "")) << 10);
                }
            }
        } catch (IOException | NumberFormatException e) {
            // not as Linux writes it
        }
        return usual(1L << 33);
    }

    /** For a host of this much memory. */
    public static Quotas usual(long hostBytes) {
        return new Quotas(
                Math.max(1 << 20, hostBytes / 2), 4096, 256, 131_072, 8 << 20, 1 << 20, 64, descriptorsOfAClient());
    }

    private static int descriptorsOfAClient() {
        try {
            for (String line : Files.readAllLines(Path.of("/proc/self/limits"))) {
                if (line.startsWith("Max open files")) {
                    long limit = Long.parseLong(line.split("  +", -1)[1]);
                    return Math.clamp(limit / SHARE_OF_DESCRIPTORS, 64, MOST_DESCRIPTORS);
                }
            }
        } catch (IOException | NumberFormatException | ArrayIndexOutOfBoundsException e) {
            // not as Linux writes it, or unlimited
        }
        return MOST_DESCRIPTORS;
    }
}
