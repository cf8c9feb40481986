package org.sluice.ncclnet;

import java.lang.foreign.MemorySegment;
import org.sluice.spi.Gpu;
import org.sluice.spi.Nic;
import org.sluice.spi.TransportException;

/** Where a comm stands: plugin, NIC, GPU, channel. Makes calls there visible and their failures readable. */
final class CommPlace {
    private static final long MOST_AGENT_NANOS = 2_000_000_000;

    final Plugin plugin;
    final NetApi api;
    final Nic nic;
    final int pluginDevice;
    final Gpu gpu;
    private final int channel;
    private final String name;
    private final CallTrace trace;
    private final MemorySegment line;
    private final NcclNetTransport transport;

    CommPlace(
            Plugin plugin,
            PluginNics.PluginNic nic,
            Gpu gpu,
            int channel,
            String direction,
            CallTrace trace,
            NcclNetTransport transport) {
        this.plugin = plugin;
        this.api = plugin.api();
        this.nic = nic.nic();
        this.pluginDevice = nic.pluginDevice();
        this.gpu = gpu;
        this.channel = channel;
        this.trace = trace;
        this.line = CallTrace.place(nic.nic().name() + " channel " + channel + " (" + direction + ")");
        this.transport = transport;
        this.name = nic.nic().name() + " channel " + channel + " (" + direction + ") of GPU " + gpu.id();
    }

    /** To be called around each call that the agent itself makes, with {@link #leave}. */
    void enter(PluginCall call) {
        trace.enter(call, line);
    }

    void leave() {
        trace.leave();
    }

    /** As {@link #enter(PluginCall)}, on another thread than the agent's. */
    void enter(CallTrace of, PluginCall call) {
        of.enter(call, line);
    }

    /** {@code eth1 channel 3 (send) of GPU 0}. */
    String name() {
        return name;
    }

    /** The GPU's thread for calls that may take their time. */
    PluginService service() {
        return transport.service(gpu);
    }

    /** How long a call may take before it counts as one that never comes back. */
    long callNanos() {
        return transport.callLimit().toNanos();
    }

    /** The same for a call that the agent has to wait for: below every sensible peer timeout. */
    long agentNanos() {
        return Math.min(callNanos(), MOST_AGENT_NANOS);
    }

    /** Has the transport close it at the end, should nobody else. */
    void opened(AutoCloseable comm) {
        transport.opened(comm);
    }

    void closed(AutoCloseable comm) {
        transport.closed(comm);
    }

    CommCloser closer() {
        return transport.closer();
    }

    PendingConnections pending() {
        return transport.pending();
    }

    /** @throws TransportException when the result is not success */
    void check(PluginCall call, int result) throws TransportException {
        if (result != NcclResult.SUCCESS) {
            throw failure(call, "failed", result);
        }
    }

    TransportException failure(PluginCall call, String what, int result) {
        return new TransportException(
                plugin + ", " + call.text + " on " + nic.name() + " for channel " + channel + " of GPU " + gpu.id()
                        + " " + what + ": " + NcclResult.text(result) + meaning(call, result) + plugin.lastWarning(),
                result);
    }

    /** A call that has not come back. */
    TransportException overdue(PluginCall call, long nanos) {
        return new TransportException(plugin + ", " + call.text + " on " + nic.name() + " for channel " + channel
                + " of GPU " + gpu.id() + " has not come back within " + nanos / 1e9
                + " s and is left to itself: the plugin hangs" + plugin.lastWarning());
    }

    private static String meaning(PluginCall call, int result) {
        boolean atWork = call == PluginCall.TEST || call == PluginCall.SEND || call == PluginCall.RECEIVE;
        // ncclSystemError and ncclRemoteError: what sockets that close look like
        return atWork && (result == 2 || result == 6) ? "; the peer closed the connection or the network broke" : "";
    }

    /** {@code libnccl-net.so (API 7) eth1}. */
    String description() {
        return plugin + " " + nic.name();
    }
}
