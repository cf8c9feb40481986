package org.sluice.ncclnet;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.sluice.contract.TransportContract;
import org.sluice.spi.Transport;
import org.sluice.spi.TransportException;

/** What the engine relies on, shown through a plugin, which watches its own contract meanwhile. */
abstract class PluginContract extends TransportContract {
    private final FakePlugin plugin;

    PluginContract(FakePlugin plugin) {
        this.plugin = plugin;
    }

    @Override
    protected Transport open() throws TransportException {
        return new NcclNetTransportProvider().open(plugin.transportConfig());
    }

    @Override
    protected boolean checksHandles() {
        return false;
    }

    @AfterEach
    void contractWasKept() {
        assertThat(plugin.violations()).as(plugin.firstViolation()).isZero();
    }
}
