package org.sluice.memory;

import org.sluice.contract.TransportContract;
import org.sluice.spi.Transport;

/** The tests' own transport keeps the contract it stands for. */
final class MemoryTransportTest extends TransportContract {
    @Override
    protected Transport open() {
        return new MemoryTransport(4, 16);
    }
}
