package org.sluice.daemon;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.sluice.Node;
import org.sluice.Region;
import org.sluice.RemoteRegion;
import org.sluice.linux.LinuxException;
import org.sluice.spi.GpuException;
import org.sluice.spi.SharedPart;

/**
 * A client's wish to have GPU memory of its own registered: read, checked, and opened in the GPU's context. GPUs are known by their
 * UUIDs: client and daemon may number them differently.
 *
 * @param gpu as the client numbers the daemon's GPUs; {@link #WHICHEVER} for the one that the memory is on
 * @param offset in the first allocation
 * @param buffer the driver's number of the first allocation
 * @param uuid of the GPU, 16 bytes
 * @param rest what the kind says else
 */
record DeviceRegistration(
        int kind, int gpu, Key key, long offset, long bytes, long buffer, byte[] uuid, ByteBuffer rest) {
    static final int CUDA_IPC = 2;
    static final int CUDA_VMM = 3;
    static final int WHICHEVER = -1;

    private static final int UUID_BYTES = 16;
    private static final int HANDLE_BYTES = 64;

    static boolean isOfDevice(int kind) {
        return kind == CUDA_IPC || kind == CUDA_VMM;
    }

    /** @throws java.nio.BufferUnderflowException when it is too short */
    static DeviceRegistration read(ByteBuffer p) {
        int kind = p.getInt();
        int gpu = p.getInt();
        Key key = Key.read(p);
        long offset = p.getLong();
        long bytes = p.getLong();
        long buffer = p.getLong();
        byte[] uuid = new byte[UUID_BYTES];
        p.get(uuid);
        if (bytes < 1 || offset < 0 || offset + bytes < 0) {
            throw new ClientException(Status.BOUNDS, "memory of " + bytes + " bytes at offset " + offset);
        }
        if (key.isZero()) {
            throw new ClientException(Status.INVALID, "a key of zeros");
        }
        return new DeviceRegistration(kind, gpu, key, offset, bytes, buffer, uuid, p);
    }

    /** The node's GPU that the memory is on. @throws ClientException when the node has it not, or the client means another */
    int gpuOf(Node node) {
        ByteBuffer b = ByteBuffer.wrap(uuid);
        String wanted = "GPU-" + new UUID(b.getLong(), b.getLong());
        int found = IntStream.range(0, node.gpus())
                .filter(g -> node.gpuUuid(g).equals(wanted))
                .findFirst()
                .orElseThrow(() -> new ClientException(
                        Status.NOT_FOUND,
                        node.backend().equals("host")
                                ? "this daemon has no GPUs (--backend host), so it takes no GPU memory"
                                : "the memory is on " + wanted + ", which this daemon has not; it has "
                                        + IntStream.range(0, node.gpus())
                                                .mapToObj(node::gpuUuid)
                                                .collect(Collectors.joining(", "))));
        if (gpu != WHICHEVER && gpu != found) {
            throw new ClientException(
                    Status.INVALID, "the memory is on GPU " + found + " of this daemon, not on GPU " + gpu);
        }
        return found;
    }

    /** Opens the memory. @param handed what the client handed over for it; stays the caller's */
    Region open(Node node, int on, List<HandedParts.Part> handed, String owner) throws LinuxException {
        try {
            return node.adopt(on, parts(handed), new RemoteRegion(key.high(), key.low(), bytes), owner);
        } catch (GpuException | IllegalArgumentException e) {
            throw new ClientException(Status.INVALID, String.valueOf(e.getMessage()), e);
        }
    }

    private List<SharedPart> parts(List<HandedParts.Part> handed) throws LinuxException {
        if (kind == CUDA_IPC) {
            long allocation = rest.getLong();
            byte[] handle = new byte[HANDLE_BYTES + UUID_BYTES];
            rest.get(handle, 0, HANDLE_BYTES);
            System.arraycopy(uuid, 0, handle, HANDLE_BYTES, UUID_BYTES);
            checkInside(allocation, handed.isEmpty(), "one allocation with a handle takes no parts");
            return List.of(new SharedPart(SharedPart.Kind.CUDA_IPC, buffer, allocation, offset, bytes, handle, -1));
        }
        int count = rest.getInt();
        long room = 0;
        for (HandedParts.Part p : handed) {
            boolean possible = p.bytes() > 0 && p.bytes() < Long.MAX_VALUE - room;
            room += possible ? p.bytes() : 0;
        }
        checkInside(
                room,
                count > 0 && count == handed.size(),
                "memory of " + count + " allocations, of which " + handed.size() + " were handed over");
        boolean needless = offset >= handed.getFirst().bytes()
                || offset + bytes <= room - handed.getLast().bytes();
        if (needless) {
            throw new ClientException(Status.BOUNDS, "the first or the last allocation holds none of the memory");
        }
        List<SharedPart> parts = new ArrayList<>();
        long left = bytes;
        for (HandedParts.Part p : handed) {
            long from = parts.isEmpty() ? offset : 0;
            long length = Math.min(left, p.bytes() - from);
            // the node closes what it is given
            int descriptor = p.descriptor().duplicate().fd();
            parts.add(new SharedPart(
                    SharedPart.Kind.CUDA_VMM,
                    buffer + parts.size(),
                    p.bytes(),
                    from,
                    length,
                    Arrays.copyOf(uuid, UUID_BYTES),
                    descriptor));
            left -= length;
        }
        return parts;
    }

    private void checkInside(long allocation, boolean complete, String otherwise) {
        if (!complete) {
            throw new ClientException(Status.INVALID, otherwise);
        }
        if (offset > allocation - bytes) {
            throw new ClientException(
                    Status.BOUNDS,
                    "allocations of " + allocation + " bytes do not hold " + bytes + " at offset " + offset);
        }
    }
}
