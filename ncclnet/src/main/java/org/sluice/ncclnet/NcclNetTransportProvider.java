package org.sluice.ncclnet;

import java.util.List;
import org.sluice.spi.Availability;
import org.sluice.spi.EnvironmentVariable;
import org.sluice.spi.Transport;
import org.sluice.spi.TransportConfig;
import org.sluice.spi.TransportException;
import org.sluice.spi.TransportProvider;

/**
 * The transport {@code nccl-net}: any NCCL network plugin. Options: {@code plugin} (its path; also the variable
 * {@code UCCL_TCPX_PLUGIN_PATH}), {@code plugin-api} (5 to 12; default the newest that it exports), {@code profile}
 * ({@code a3-high}, {@code a3-mega}), {@code plugin-log} ({@code full}, {@code plain}, {@code off}), {@code plugin-requests} (requests in flight on
 * a comm, default 16), {@code plugin-call-millis} (a call that takes longer is reported, default 10000), {@code plugin-init-millis} (an init that takes longer is given up, default 60000), {@code env.NAME} (a
 * variable for the plugin's environment).
 */
public final class NcclNetTransportProvider implements TransportProvider {
    static final String NAME = "nccl-net";

    /** For {@link java.util.ServiceLoader}. */
    public NcclNetTransportProvider() {}

    @Override
    public String name() {
        return NAME;
    }

    /** Looks only whether the plugin is there and exports a known API: initialising it is for those who use it. */
    @Override
    public Availability availability(TransportConfig config) {
        try {
            String file = Plugin.locate(NcclNetOptions.of(config));
            SharedLibrary library = SharedLibrary.open(java.nio.file.Path.of(file));
            var versions = ApiVersion.exportedBy(library);
            return versions.isEmpty()
                    ? Availability.no(file + " exports no NCCL net API from 5 to 12")
                    : Availability.yes(file + " exports API " + versions.getFirst().number);
        } catch (TransportException e) {
            return Availability.no(String.valueOf(e.getMessage()));
        }
    }

    @Override
    public List<EnvironmentVariable> environment(TransportConfig config) throws TransportException {
        return PluginEnvironment.of(config, NcclNetOptions.of(config));
    }

    @Override
    public Transport open(TransportConfig config) throws TransportException {
        NcclNetOptions options = NcclNetOptions.of(config);
        PluginEnvironment.apply(config, options);
        ExitNotice.open();
        try {
            Plugin plugin = Plugin.acquire(options);
            try {
                return new NcclNetTransport(
                        plugin, PluginNics.choose(plugin, config.nics(), options.requests()), options.callLimit());
            } catch (TransportException | RuntimeException e) {
                plugin.release(true);
                throw e;
            }
        } catch (TransportException | RuntimeException e) {
            ExitNotice.close();
            throw e;
        }
    }
}
