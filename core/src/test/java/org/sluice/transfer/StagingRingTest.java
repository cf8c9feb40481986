package org.sluice.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sluice.host.HostGpuBackend;
import org.sluice.spi.CopyQueue;
import org.sluice.spi.Gpu;

final class StagingRingTest {
    private final Gpu gpu = new HostGpuBackend().open(0);

    @ParameterizedTest
    @CsvSource({"1, 1", "4, 4096", "8, 1048576", "16, 777"})
    @DisplayName(
            "as many chunks in a row as there are slots lie apart and inside, and the next takes the oldest's place")
    void slots(int slots, long slotBytes) {
        try (CopyQueue queue = gpu.copyQueue(CopyQueue.Direction.TO_HOST, 4);
                StagingRing ring = new StagingRing(gpu, queue, slots, slotBytes)) {
            assertThat(ring.memory.size()).isEqualTo(slots * slotBytes);
            for (long first : new long[] {0, 5, (1L << 40) - 3}) {
                Set<Long> places = new HashSet<>();
                for (long n = first; n < first + slots; n++) {
                    long at = ring.address(n) - ring.memory.address();
                    assertThat(at).isBetween(0L, (slots - 1) * slotBytes);
                    assertThat(at % slotBytes).isZero();
                    places.add(at);
                    assertThat(ring.address(n + slots)).isEqualTo(ring.address(n));
                }
                assertThat(places).hasSize(slots);
            }
        }
    }
}
