package org.sluice.cuda;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.BeforeAll;
import org.sluice.contract.PullContract;

/**
 * Two processes that pull from each other's memory on the machine's first GPU, where there is one. What stays open of a dead process's memory
 * keeps that memory, which {@code nvidia-smi} counts: nobody else may use the GPU meanwhile.
 */
final class RealPullTest extends PullContract {
    private static OptionalLong before = OptionalLong.empty();

    RealPullTest() {
        super("cuda", Map.of());
    }

    @BeforeAll
    static void onlyWithAGpu() throws IOException {
        CudaLibrary real = CudaLibrary.find("libcuda.so.1");
        assumeTrue(
                real.availability().usable(),
                () -> "no real GPU: " + real.availability().reason());
        usedMebibytes();
    }

    /** The first process that has come and gone leaves what this one's own context, modules and buffers take; each later one nothing more. */
    @Override
    protected long open() throws IOException {
        if (peerLives()) {
            return 0;
        }
        long used = usedMebibytes();
        if (before.isEmpty()) {
            before = OptionalLong.of(used);
        }
        return used - before.getAsLong();
    }

    private static long usedMebibytes() throws IOException {
        Process smi = new ProcessBuilder(
                        "nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits", "--id=0")
                .start();
        try (BufferedReader said = smi.inputReader()) {
            return Long.parseLong(said.readLine().strip());
        }
    }
}
