package org.sluice.cli.watch;

import java.util.List;

/**
 * What is watched.
 *
 * @param role {@code server}, {@code client} or {@code loopback}
 * @param transport the transport's name
 * @param plannedBytes payload that all GPUs are to move, 0 where only the time is set
 * @param leastGbPerSecond below which a run that moves all the time is told, 0 for any
 * @param configuration what to print of the settings
 */
public record Context(
        String role,
        String transport,
        long plannedBytes,
        double leastGbPerSecond,
        List<Picture.Setting> configuration) {
    public Context {
        configuration = List.copyOf(configuration);
    }
}
