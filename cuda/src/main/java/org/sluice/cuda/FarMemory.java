package org.sluice.cuda;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Peers' memory on devices of this process that a GPU cannot reach: mapped in those devices' own contexts, and copied by the driver
 * through pinned memory. There is none on most machines, and asking costs nothing then.
 */
final class FarMemory implements AutoCloseable {
    private record Range(long from, long to, CudaContext context) {}

    private final CudaContext near;
    private final SharingCalls calls;
    private final Map<Integer, CudaContext> contexts = new HashMap<>();
    private volatile Range[] ranges = {};

    FarMemory(CudaContext near) {
        this.near = near;
        this.calls = near.driver().sharing();
    }

    /** The context of another device of this process, made when it is first asked for; null where no device has the UUID. */
    synchronized @Nullable CudaContext context(byte[] uuid) {
        for (int ordinal = 0; ordinal < near.driver().deviceCount(); ordinal++) {
            int device = near.driver().device(ordinal, near.where());
            if (device != near.device() && Arrays.equals(calls.deviceUuid(device), uuid)) {
                return contexts.computeIfAbsent(ordinal, o -> new CudaContext(near.driver(), o));
            }
        }
        return null;
    }

    synchronized void add(PeerMapping mapping) {
        Range[] more = Arrays.copyOf(ranges, ranges.length + 1);
        more[ranges.length] = new Range(mapping.address(), mapping.address() + mapping.bytes(), mapping.context());
        ranges = more;
    }

    synchronized void remove(PeerMapping mapping) {
        // one of them: two peers may have opened the same allocation, which the driver gives one address
        int at = 0;
        while (at < ranges.length && ranges[at].from != mapping.address()) {
            at++;
        }
        if (at < ranges.length) {
            Range[] fewer = Arrays.copyOf(ranges, ranges.length - 1);
            System.arraycopy(ranges, at + 1, fewer, at, fewer.length - at);
            ranges = fewer;
        }
    }

    boolean isEmpty() {
        return ranges.length == 0;
    }

    boolean holds(long address) {
        return owner(address) != near;
    }

    private CudaContext owner(long address) {
        for (Range r : ranges) {
            if (address >= r.from && address < r.to) {
                return r.context;
            }
        }
        return near;
    }

    /** A copy between memory of this GPU and a peer's, wherever that is. @return the driver's result */
    int copy(long destination, long source, long bytes, long stream) {
        if (isEmpty()) {
            return near.driver().memcpyOnDevice(destination, source, bytes, stream);
        }
        return calls.memcpyPeer(
                destination, owner(destination).handle(), source, owner(source).handle(), bytes, stream);
    }

    @Override
    public synchronized void close() {
        contexts.values().forEach(CudaContext::close);
        contexts.clear();
    }
}
