package org.sluice.ncclnet;

import java.lang.foreign.MemorySegment;
import java.util.Set;
import org.sluice.spi.Gpu;
import org.sluice.spi.Nic;
import org.sluice.spi.TransportException;

/** Where a comm stands: plugin, NIC, GPU, channel. Makes calls there visible and their failures readable. */
final class CommPlace {
    final Plugin plugin;
    final NetApi api;
    final Nic nic;
    final int pluginDevice;
    final Gpu gpu;
    private final int channel;
    private final String name;
    private final CallTrace trace;
    private final MemorySegment line;
    private final Set<AutoCloseable> open;
    private final CommCloser closer;

    CommPlace(
            Plugin plugin,
            PluginNics.PluginNic nic,
            Gpu gpu,
            int channel,
            String direction,
            CallTrace trace,
            Set<AutoCloseable> open,
            CommCloser closer) {
        this.plugin = plugin;
        this.api = plugin.api();
        this.nic = nic.nic();
        this.pluginDevice = nic.pluginDevice();
        this.gpu = gpu;
        this.channel = channel;
        this.trace = trace;
        this.line = CallTrace.place(nic.nic().name() + " channel " + channel + " (" + direction + ")");
        this.open = open;
        this.closer = closer;
        this.name = nic.nic().name() + " channel " + channel + " (" + direction + ") of GPU " + gpu.id();
    }

    /** To be called around each call of the plugin, with {@link #leave}. */
    void enter(PluginCall call) {
        trace.enter(call, line);
    }

    void leave() {
        trace.leave();
    }

    /** Has the transport close it at the end, should nobody else. */
    void opened(AutoCloseable comm) {
        open.add(comm);
    }

    void closed(AutoCloseable comm) {
        open.remove(comm);
    }

    /** Closes a comm, see {@link CommCloser}. @param inFlight whether requests are */
    void close(boolean inFlight, Runnable close) {
        enter(PluginCall.CLOSE);
        closer.close(gpu, name, inFlight, close);
        leave();
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
