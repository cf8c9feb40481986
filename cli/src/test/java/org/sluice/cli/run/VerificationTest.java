package org.sluice.cli.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.Region;

/** Wrong bytes are found wherever they are, and only they. */
class VerificationTest {
    private static final int SIZE = 3 * 4096 + 5;

    private static Node node() {
        return Node.open(NodeConfig.builder()
                .backend("host")
                .gpus(2)
                .nics(List.of("lo1"))
                .build());
    }

    @Test
    void whatWasFilledCompares() {
        try (Node node = node()) {
            Region r = node.allocate(1, SIZE);
            r.fill(0, SIZE, ContentSeed.of(0, 1, 7));
            assertThat(Verification.compare(r, SIZE, ContentSeed.of(0, 1, 7), 7))
                    .isEqualTo(new Outcome(SIZE, 0, null));
        }
    }

    @Test
    void oneWrongByteIsNamed() {
        try (Node node = node()) {
            Region r = node.allocate(1, SIZE);
            r.fill(0, SIZE, ContentSeed.of(0, 1, 7));
            byte[] one = new byte[1];
            r.read(SIZE - 1, MemorySegment.ofArray(one));
            one[0] ^= 0x40;
            r.write(SIZE - 1, MemorySegment.ofArray(one));
            assertThat(Verification.compare(r, SIZE, ContentSeed.of(0, 1, 7), 7))
                    .isEqualTo(new Outcome(SIZE, 5, "GPU 1, iteration 7, byte " + (SIZE - 1)));
        }
    }

    @Test
    void anotherIterationGpuOrSenderIsWrongThroughout() {
        try (Node node = node()) {
            Region r = node.allocate(1, SIZE);
            r.fill(0, SIZE, ContentSeed.of(0, 1, 7));
            assertThat(Verification.compare(r, SIZE, ContentSeed.of(0, 1, 8), 8).mismatched())
                    .isEqualTo(SIZE);
            assertThat(Verification.compare(r, SIZE, ContentSeed.of(0, 0, 7), 7).mismatched())
                    .isEqualTo(SIZE);
            assertThat(Verification.compare(r, SIZE, ContentSeed.of(1, 1, 7), 7).mismatched())
                    .isEqualTo(SIZE);
        }
    }
}
