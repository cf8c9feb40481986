package org.sluice.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.Access;
import org.sluice.ConfigException;
import org.sluice.NotDoneException;
import org.sluice.Region;
import org.sluice.RemoteRegion;
import org.sluice.Where;
import org.sluice.spi.Gpu;
import org.sluice.spi.GpuException;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.MemorySharing;
import org.sluice.spi.SharedPart;
import org.sluice.spi.Threads;
import org.sluice.transfer.Agent;
import org.sluice.transfer.AgentLimits;
import org.sluice.transfer.MemoryBlock;

/** The memory of a node: its regions, the keys by which peers name them, and how they end. Any thread. */
final class NodeMemory {
    private static final Logger log = LoggerFactory.getLogger(NodeMemory.class);

    /** How long giving up a channel may take. */
    private static final Duration AT_ONCE = Duration.ofSeconds(5);

    /** How long a peer that has a region open may take to close it. */
    private static final Duration LET_GO = Duration.ofSeconds(2);

    private final List<Agent> agents;
    private final List<SharedRegions> registries;
    private final List<EngineLink> links;
    private final AgentLimits limits;
    private final boolean shared;

    /**
     * @param agents of every GPU
     * @param registries what peers may name, by GPU
     * @param links those of the node at any time
     * @param shared whether memory is of a kind that processes of this host can share
     */
    NodeMemory(
            List<Agent> agents,
            List<SharedRegions> registries,
            List<EngineLink> links,
            AgentLimits limits,
            boolean shared) {
        this.agents = List.copyOf(agents);
        this.registries = List.copyOf(registries);
        this.links = links;
        this.limits = limits;
        this.shared = shared;
    }

    Region allocate(int gpu, long bytes) {
        if (bytes < 1) {
            throw new IllegalArgumentException("a region has at least 1 byte, not " + bytes);
        }
        return region(gpu, g -> allocate(g, bytes), OwnedRegion.drawKey(bytes));
    }

    /** Where memory is shared, of a kind that can be. */
    private GpuMemory allocate(Gpu gpu, long bytes) {
        return !shared
                ? gpu.allocate(bytes)
                : gpu.sharing().map(s -> s.allocate(bytes)).orElseGet(() -> gpu.allocate(bytes));
    }

    Region adopt(int gpu, long address, RemoteRegion key) {
        if (key.size() < 1) {
            throw new IllegalArgumentException("a region has at least 1 byte, not " + key.size());
        }
        return region(gpu, g -> g.adopt(address, key.size()), key);
    }

    private interface Allocation {
        GpuMemory from(Gpu gpu);
    }

    private Region region(int gpu, Allocation allocation, RemoteRegion key) {
        Agent agent = agent(gpu);
        GpuMemory memory = Answers.get(agent.call(
                "memory of " + key.size() + " bytes",
                () -> allocation.from(agent.gpu()),
                limits.call(key.size()),
                GpuMemory::close));
        return region(gpu, memory, key, false);
    }

    /** @param owner names the process whose memory it is */
    Region adopt(int gpu, List<SharedPart> parts, RemoteRegion key, String owner) {
        Gpu g = agent(gpu).gpu();
        MemorySharing how = g.sharing()
                .orElseThrow(() -> new GpuException("GPU " + gpu + " takes no memory of other processes", 0));
        GpuMemory memory = Answers.get(OwnThread.on(g, "opening", () -> how.adopt(parts, owner)));
        if (memory.size() != key.size()) {
            OwnThread.on(g, "closing", () -> close(memory));
            throw new IllegalArgumentException(
                    "the memory of " + owner + " has " + memory.size() + " bytes, not " + key.size());
        }
        return region(gpu, memory, key, true);
    }

    private static boolean close(GpuMemory memory) {
        memory.close();
        return true;
    }

    /** @param ofAnother whether another process owns the memory, and the driver may take long to let it go */
    private Region region(int gpu, GpuMemory memory, RemoteRegion key, boolean ofAnother) {
        SharedRegions registry = registries.get(gpu);
        int number = registry.takeNumber();
        OwnedRegion region = new OwnedRegion(this, gpu, new MemoryBlock(memory, number), key, ofAnother);
        if (!registry.add(key, region, Access.READ_AND_WRITE)) {
            registry.giveNumber(number);
            Answers.get(OwnThread.on(agent(gpu).gpu(), "closing", () -> close(memory)));
            throw new IllegalArgumentException("GPU " + gpu + ": another region has this key");
        }
        return region;
    }

    void withdraw(OwnedRegion region) {
        registries.get(region.gpu()).remove(region.remoteKey(), region);
    }

    RemoteRegion share(OwnedRegion region, Access access) {
        RemoteRegion key = OwnedRegion.drawKey(region.size());
        if (!registries.get(region.gpu()).add(key, region, access)) {
            throw new IllegalStateException("two random keys of 128 bits are the same");
        }
        return key;
    }

    void withdraw(OwnedRegion region, RemoteRegion key, Duration atMost) {
        SharedRegions.Withdrawn withdrawn = registries.get(region.gpu()).remove(key, region);
        long end = System.nanoTime() + atMost.toNanos();
        boolean atOnce = false;
        drain(region.gpu(), key, false);
        while (withdrawn.isInUse()) {
            if (System.nanoTime() - end >= 0) {
                if (atOnce) {
                    throw new NotDoneException(
                            Where.ofGpu(region.gpu()),
                            "a region's key is withdrawn, but a peer is still at its memory");
                }
                atOnce = true;
                end = System.nanoTime() + AT_ONCE.toNanos();
                drain(region.gpu(), key, true);
            }
            LockSupport.parkNanos(100_000);
        }
    }

    private void drain(int gpu, RemoteRegion key, boolean atOnce) {
        for (EngineLink l : links) {
            if (l.gpu() == gpu) {
                l.withdraw(key, atOnce);
            }
        }
    }

    /** Begins to free it. */
    CompletableFuture<Void> free(OwnedRegion region) {
        SharedRegions registry = registries.get(region.gpu());
        registry.remove(region);
        List<CompletableFuture<Void>> letGo = new ArrayList<>();
        for (EngineLink l : links) {
            if (l.gpu() == region.gpu()) {
                letGo.add(l.forget(region));
            }
        }
        GpuMemory memory = region.block().memory();
        if (region.isOfAnother()) {
            // the driver may take long, or hang: the agent serves others meanwhile
            Gpu gpu = agent(region.gpu()).gpu();
            return free(region, letGo, () -> registry.giveNumber(region.block().number()))
                    .thenCompose(ok -> OwnThread.on(gpu, "closing", () -> close(memory)))
                    .thenAccept(ok -> {});
        }
        return free(region, letGo, () -> {
            memory.close();
            registry.giveNumber(region.block().number());
        });
    }

    private CompletableFuture<Void> free(OwnedRegion region, List<CompletableFuture<Void>> letGo, Runnable free) {
        if (!shared) {
            return release(region, free);
        }
        // what a peer has open is freed when it has closed it: to free it before is undefined for some kinds of memory
        return CompletableFuture.allOf(letGo.toArray(new CompletableFuture<?>[0]))
                .completeOnTimeout(null, LET_GO.toMillis(), TimeUnit.MILLISECONDS)
                .thenComposeAsync(ok -> release(region, free), run -> Threads.startVirtual("freeing", run));
    }

    private CompletableFuture<Void> release(OwnedRegion region, Runnable free) {
        return agent(region.gpu())
                .release(
                        "freeing " + region.size() + " bytes",
                        free,
                        limits.close().plus(limits.call(region.size())).minus(limits.call()));
    }

    private Agent agent(int gpu) {
        if (gpu < 0 || gpu >= agents.size()) {
            throw new ConfigException(Where.ofGpu(gpu), "there is no such GPU, this node has " + agents.size());
        }
        return agents.get(gpu);
    }

    void onAgent(int gpu, String what, long bytes, Consumer<Gpu> call) {
        Agent agent = agent(gpu);
        Callable<Boolean> command = () -> {
            call.accept(agent.gpu());
            return true;
        };
        Answers.get(agent.call(what + " " + bytes + " bytes", command, limits.call(bytes), late -> {}));
    }

    /** Long work on the GPU that the agent must not wait for: on the caller's thread, with the GPU bound to it. */
    void onGpu(int gpu, Consumer<Gpu> call) {
        Gpu g = agent(gpu).gpu();
        g.bindThread();
        call.accept(g);
    }

    void close(ClosingSteps steps) {
        List<CompletableFuture<Void>> freeing = new ArrayList<>();
        for (SharedRegions registry : registries) {
            for (OwnedRegion region : registry.regions()) {
                steps.take("a region", () -> {
                    if (region.isUsed()
                            && agents.get(region.gpu()).busyNanos()
                                    > limits.close().toNanos() / 2) {
                        log.warn(
                                "GPU {}: a region of {} bytes is left: {}",
                                region.gpu(),
                                region.size(),
                                agents.get(region.gpu()).doing());
                    } else {
                        freeing.add(region.beginClose());
                    }
                });
            }
        }
        freeing.forEach(f -> steps.take("a region", () -> OwnedRegion.awaitFree(f)));
    }
}
