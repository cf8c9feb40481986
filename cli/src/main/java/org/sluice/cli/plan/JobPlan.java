package org.sluice.cli.plan;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The job that is to run here.
 *
 * @param nics to be used; empty for every usable one
 * @param transport {@code tcp} or {@code nccl-net}
 * @param plugin the plugin's library, null where none is meant
 * @param profile the kind of machine, {@code a3-high}; null where none is meant
 * @param backend {@code cuda}, {@code host} or {@code auto}
 * @param gpus how many
 * @param channels per GPU
 * @param sockets per channel
 * @param portBase bootstrap port of GPU 0
 * @param sizeBytes of each GPU's memory, for host GPUs
 * @param txBindings CPUs of sending threads as users write them, empty for none
 * @param rxBindings the same for receiving threads
 * @param peers the peer's addresses or names, one for each rail, or one alone; empty to leave the peer out
 */
public record JobPlan(
        List<String> nics,
        String transport,
        @Nullable Path plugin,
        @Nullable String profile,
        String backend,
        int gpus,
        int channels,
        int sockets,
        int portBase,
        long sizeBytes,
        String txBindings,
        String rxBindings,
        List<String> peers) {
    public JobPlan {
        nics = List.copyOf(nics);
        peers = List.copyOf(peers);
    }

    /** Whether a NCCL net plugin moves its bytes. */
    public boolean usesPlugin() {
        return plugin != null || transport.equals("nccl-net");
    }
}
