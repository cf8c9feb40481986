package org.sluice.ncclnet;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.spi.ChannelContext;
import org.sluice.spi.Connector;
import org.sluice.spi.Gpu;
import org.sluice.spi.Listener;
import org.sluice.spi.MemoryKind;
import org.sluice.spi.Nic;
import org.sluice.spi.Transport;
import org.sluice.spi.TransportException;

/** A NCCL net plugin at work for one node. All progress is made inside {@code test}, on the agents' threads. */
final class NcclNetTransport implements Transport {
    private static final Logger log = LoggerFactory.getLogger(NcclNetTransport.class);

    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(16);

    private final Plugin plugin;
    private final List<PluginNics.PluginNic> nics;
    private final List<Nic> devices;
    private final CallWatch watch;
    private final Set<AutoCloseable> open = ConcurrentHashMap.newKeySet();
    private final CommCloser closer = new CommCloser();
    private final PendingConnections pending = new PendingConnections();
    private final Map<Gpu, PluginService> services = new ConcurrentHashMap<>();
    private final Duration callLimit;
    private boolean closed;

    NcclNetTransport(Plugin plugin, List<PluginNics.PluginNic> nics, Duration callLimit) {
        this.plugin = plugin;
        this.nics = List.copyOf(nics);
        this.devices = nics.stream().map(PluginNics.PluginNic::nic).toList();
        this.callLimit = callLimit;
        this.watch = new CallWatch(plugin.toString(), callLimit);
    }

    @Override
    public String name() {
        return NcclNetTransportProvider.NAME;
    }

    @Override
    public List<Nic> devices() {
        return devices;
    }

    @Override
    public boolean ringsDoorbell() {
        return false;
    }

    @Override
    public Listener listen(int device, ChannelContext context) throws TransportException {
        return NcclNetListener.open(place(device, context, "receive"), context);
    }

    @Override
    public Connector connect(int device, byte[] handle, ChannelContext context) throws TransportException {
        if (handle.length > MAX_HANDLE_BYTES) {
            throw new TransportException(
                    "the peer's handle has " + handle.length + " bytes, at most " + MAX_HANDLE_BYTES + " are allowed");
        }
        return NcclNetConnector.open(place(device, context, "send"), context, handle);
    }

    /** An attempt that fails costs the plugin threads and descriptors, which some never give back. */
    @Override
    public Duration longestPause() {
        return LONGEST_PAUSE;
    }

    PluginService service(Gpu gpu) {
        return services.computeIfAbsent(gpu, PluginService::new);
    }

    Duration callLimit() {
        return callLimit;
    }

    CommCloser closer() {
        return closer;
    }

    PendingConnections pending() {
        return pending;
    }

    void opened(AutoCloseable comm) {
        open.add(comm);
    }

    void closed(AutoCloseable comm) {
        open.remove(comm);
    }

    private CommPlace place(int device, ChannelContext context, String direction) throws TransportException {
        if (device < 0 || device >= nics.size()) {
            throw new TransportException("there is no device " + device + ", " + plugin + " has " + nics.size());
        }
        PluginNics.PluginNic nic = nics.get(device);
        Gpu gpu = context.gpu();
        MemoryKind kind = gpu.memoryKind();
        if (nic.nic().scatters() && !nic.nic().memory().contains(kind)) {
            throw new TransportException(plugin + " leaves received bytes in a bounce buffer that GPU " + gpu.id()
                    + " cannot unpack: it takes " + nic.nic().memory() + " memory, the GPU's is " + kind);
        }
        CallTrace trace = ExitNotice.trace(true);
        return new CommPlace(plugin, nic, gpu, context.channel(), direction, trace, this);
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        for (AutoCloseable c : open) {
            try {
                c.close();
            } catch (Exception e) {
                log.warn("{}: while closing: {}", plugin, e.toString());
            }
        }
        open.clear();
        List<String> left = closer.await(callLimit);
        boolean idle = pending.close();
        services.values().forEach(PluginService::close);
        watch.close();
        if (left.isEmpty()) {
            // what is pending there is the plugin's to end; one that is to be finished by us would lose it under its
            // threads
            plugin.release(idle);
        } else {
            // what is still at work in the plugin may need all of it
            log.warn(
                    "{}: closing has not come back within {} s and is left behind: {}; the peer may have gone, or the"
                            + " plugin's close waits for one that it does not serve meanwhile",
                    plugin,
                    callLimit.toMillis() / 1000.0,
                    String.join(", ", left));
        }
        ExitNotice.close();
    }
}
