package org.sluice;

import java.net.InetSocketAddress;
import java.util.List;
import java.util.ServiceLoader;
import java.util.function.Consumer;
import org.sluice.spi.SharedPart;

/**
 * One Sluice process on a host: all its GPUs, all its NICs. Opens GPUs and transport, makes links, owns regions.
 *
 * <p>Any thread may use it. Closing it, at any moment and any number of times, closes its links and frees everything.
 */
public interface Node extends AutoCloseable {
    /** @throws ConfigException when a GPU, a NIC or a setting does not fit this machine */
    static Node open(NodeConfig config) {
        return ServiceLoader.load(Engine.class, Node.class.getClassLoader())
                .findFirst()
                .orElseThrow(() -> new ConfigException("no engine of Sluice is on the module path"))
                .open(config);
    }

    NodeConfig config();

    /** {@code cuda} or {@code host}. */
    String backend();

    /** What the backend found here, in one sentence; where it was chosen by itself, also why no better one was. */
    String backendFound();

    /** How many GPUs this node has. */
    int gpus();

    /** The GPU's model, as its driver says it. */
    String gpuName(int gpu);

    /** What names the GPU in every process of the host, as {@code nvidia-smi -L} writes it; empty for a host GPU. */
    String gpuUuid(int gpu);

    /** The NICs of the transport, in the order of use. */
    List<NicInfo> nics();

    /** The network devices that the transport does not use though nobody told it so, with the reasons. */
    List<LeftOut> nicsLeftOut();

    /** Which way the bytes of the links that there are go, and why not a better one. */
    PathTaken path();

    /** Whether transfers have been slower than {@link Requirements#leastGbPerSecond} for two seconds. */
    boolean isBelowLeastRate();

    /** The unit of striping of links that this node asks for, bytes. */
    long chunkBytes();

    /** The most chunks a receiving channel has in flight. */
    int window();

    /**
     * Listens for other nodes, which make links to any GPU of this one. May be called for several addresses.
     *
     * @param address where; port 0 takes a free one
     * @return where it listens now
     * @throws ConfigException if the address or port cannot be had
     */
    InetSocketAddress listen(InetSocketAddress address);

    /**
     * Tells of links that other nodes make to this one. Those that came before are told at once, so none is missed.
     *
     * @param incoming called on a thread of the engine's, for one link after the other; may wait, which holds up no link that is made
     */
    void onLink(Consumer<Link> incoming);

    /** Another node, which need not be there yet. The same object for the same address. @param address {@code host:port} where it listens */
    Peer peer(String address);

    /** Opens the bootstrap ports now, so that clients can come before {@link #accept}. @throws ConfigException if one is taken */
    void bind();

    /** Waits for a client of this GPU and makes the link. May be called again for further clients. */
    Link accept(int gpu);

    /** Waits for one client per GPU, the only ones this node takes, and makes all links in phases. @param steps told each step */
    List<Link> acceptAll(Consumer<LinkingStep> steps);

    /** Connects a GPU to the one of the same number on another node. */
    Link connect(int gpu, String host);

    /** Connects every GPU to the one of the same number on another node, in phases. @param steps told each step */
    List<Link> connectAll(String host, Consumer<LinkingStep> steps);

    /** Memory of a GPU, 4 KiB aligned, contents undefined. @param bytes at least 1 */
    Region allocate(int gpu, long bytes);

    /** Memory of a GPU that somebody else allocated and keeps alive until the region is closed. */
    Region adopt(int gpu, long address, long bytes);

    /**
     * As {@link #adopt(int, long, long)}, under a key that its owner drew, so that it can stay the same over restarts.
     *
     * @param key 128 bits of a good random source, and the length
     * @throws IllegalArgumentException when the length is another, or a region of this GPU has that key
     */
    Region adopt(int gpu, long address, RemoteRegion key);

    /**
     * Memory of a GPU that another process of this host owns and has exported: it is opened here and let go with the region. The owner
     * keeps it allocated until then; where the owner dies, it stays as it is until then. Waits for the driver.
     *
     * @param parts one range of one allocation or of several that follow on each other; their descriptors are closed
     * @param key as for {@link #adopt(int, long, RemoteRegion)}
     * @param owner the process, as messages name it
     * @throws org.sluice.spi.GpuException when it cannot be opened or is not what its parts say
     */
    Region adopt(int gpu, List<SharedPart> parts, RemoteRegion key, String owner);

    @Override
    void close();
}
