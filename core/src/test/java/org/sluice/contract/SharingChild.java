package org.sluice.contract;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.ServiceLoader;
import org.sluice.spi.Gpu;
import org.sluice.spi.GpuBackend;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.MemorySharing;
import org.sluice.spi.SharedPart;

/** A process that shares a block of its memory with who started it, and does to it what it is told. */
public final class SharingChild {
    private SharingChild() {}

    /** Backend, GPU, bytes of a block, and the offset in it that the shared range begins at, which reaches to the block's end. */
    public static void main(String[] args) throws IOException {
        try (Gpu gpu = open(args[0], Integer.parseInt(args[1]))) {
            MemorySharing sharing = gpu.sharing().orElseThrow();
            long offset = Long.parseLong(args[3]);
            GpuMemory block = sharing.allocate(Long.parseLong(args[2]));
            serve(gpu, offset == 0 ? block : gpu.adopt(block.address() + offset, block.size() - offset));
            block.close();
        }
    }

    /** Opens a GPU and binds this thread to it. */
    public static Gpu open(String backend, int id) {
        Gpu gpu = ServiceLoader.load(GpuBackend.class).stream()
                .map(ServiceLoader.Provider::get)
                .filter(b -> b.name().equals(backend))
                .findFirst()
                .orElseThrow()
                .open(id);
        gpu.bindThread();
        return gpu;
    }

    /** Says the block's parts, then obeys {@code fill SEED} and {@code check SEED} until its input ends. */
    public static void serve(Gpu gpu, GpuMemory block) throws IOException {
        MemorySharing sharing = gpu.sharing().orElseThrow();
        gpu.fill(block, 0, block.size(), 1);
        List<SharedPart> parts = sharing.export(block);
        StringBuilder line = new StringBuilder();
        for (SharedPart p : parts) {
            line.append(String.join(
                            ",",
                            p.kind().name(),
                            String.valueOf(p.allocation()),
                            String.valueOf(p.allocationBytes()),
                            String.valueOf(p.offset()),
                            String.valueOf(p.bytes()),
                            "x" + HexFormat.of().formatHex(p.handle()),
                            String.valueOf(p.descriptor())))
                    .append(' ');
        }
        System.out.println(line.toString().strip());
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String said = in.readLine(); said != null; said = in.readLine()) {
            long seed = Long.parseLong(said.substring(said.indexOf(' ') + 1));
            if (said.startsWith("fill ")) {
                gpu.fill(block, 0, block.size(), seed);
                System.out.println("filled");
            } else {
                System.out.println("wrong at " + gpu.mismatch(block, 0, block.size(), seed));
            }
        }
        sharing.discard(parts);
    }
}
