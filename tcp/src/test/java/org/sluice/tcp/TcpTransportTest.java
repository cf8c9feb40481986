package org.sluice.tcp;

import java.util.List;
import java.util.Map;
import org.sluice.contract.TransportContract;
import org.sluice.spi.Transport;
import org.sluice.spi.TransportConfig;
import org.sluice.spi.TransportException;

/** Kernel sockets keep the contract of transports, over the four loopback rails. */
final class TcpTransportTest extends TransportContract {
    @Override
    protected Transport open() throws TransportException {
        return new TcpTransportProvider()
                .open(new TransportConfig(List.of("lo1", "lo2", "lo3", "lo4"), 1, 0, Map.of()));
    }
}
