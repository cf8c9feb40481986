package org.sluice.tcp;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.sluice.spi.Channel;
import org.sluice.spi.ConnectionFacts;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.MemoryKind;
import org.sluice.spi.Registration;
import org.sluice.spi.TransportException;

/** A channel over one or more connections: request <i>n</i> goes on lane <i>n mod lanes</i>, so both ends agree where. */
abstract class TcpChannel<L extends Lane> implements Channel {
    private static final Registration NOTHING_TO_FREE = () -> {};

    private final L[] lanes;
    private final String description;
    private final Set<AutoCloseable> open;
    private long posted;
    private long finished;
    private boolean closed;

    /** @param open the transport's open channels; this one takes itself off when it closes */
    TcpChannel(L[] lanes, String description, Set<AutoCloseable> open) {
        this.lanes = lanes;
        this.description = description;
        this.open = open;
    }

    @Override
    public final Registration register(GpuMemory memory) throws TransportException {
        if (memory.kind() != MemoryKind.HOST) {
            throw new TransportException("kernel sockets cannot reach " + memory.kind() + " memory");
        }
        return NOTHING_TO_FREE;
    }

    /** @param pieces 0 where {@code address} is the memory's, else how many there are in a list at {@code address} */
    final boolean post(long address, int pieces, long bytes, long message, long offset) throws TransportException {
        boolean taken = lanes[(int) (posted % lanes.length)].post(address, pieces, bytes, message, offset);
        if (taken) {
            posted++;
        }
        return taken;
    }

    @Override
    public final int test() throws TransportException {
        if (finished == posted) {
            return PENDING;
        }
        int outcome = lanes[(int) (finished % lanes.length)].outcome(finished / lanes.length);
        if (outcome != PENDING) {
            finished++;
        }
        return outcome;
    }

    final L[] lanes() {
        return lanes;
    }

    @Override
    public final List<ConnectionFacts> connections() {
        return closed ? List.of() : Arrays.stream(lanes).map(Lane::facts).toList();
    }

    @Override
    public final String description() {
        return description;
    }

    @Override
    public final void close() {
        if (!closed) {
            closed = true;
            for (L lane : lanes) {
                lane.close();
            }
            open.remove(this);
        }
    }
}
