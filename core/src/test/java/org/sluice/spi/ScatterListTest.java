package org.sluice.spi;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.BitSet;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ScatterListTest {
    private static ScatterList list(long bounceBytes, long... triples) {
        MemorySegment out = MemorySegment.ofArray(new byte[triples.length / 3 * ScatterList.DESCRIPTOR_BYTES]);
        for (int i = 0; i < triples.length / 3; i++) {
            long at = (long) i * ScatterList.DESCRIPTOR_BYTES;
            out.set(ValueLayout.JAVA_INT_UNALIGNED, at, (int) triples[3 * i]);
            out.set(ValueLayout.JAVA_INT_UNALIGNED, at + 4, (int) triples[3 * i + 1]);
            out.set(ValueLayout.JAVA_LONG_UNALIGNED, at + 8, triples[3 * i + 2]);
        }
        ScatterList list = new ScatterList();
        list.set(out, triples.length / 3, 0, 0, bounceBytes);
        return list;
    }

    private static void refused(ScatterList list, long bytes) {
        assertThatThrownBy(() -> list.check(bytes)).isInstanceOf(TransportException.class);
    }

    @Test
    @DisplayName("lists that cover the chunk from within the bounce buffer pass")
    void good() {
        assertThatCode(() -> list(8192, 4096, 4096, 0, 0, 4096, 4096).check(8192))
                .doesNotThrowAnyException();
        assertThatCode(() -> list(Long.MAX_VALUE, 0xffffffffL, 1, 0).check(1)).doesNotThrowAnyException();
    }

    @Test
    @DisplayName("a bound that lies is found: beyond the chunk, beyond the buffer, too much, too little, too many")
    void lies() {
        refused(list(8192, 0, 4096, 1), 4096);
        refused(list(8192, 0, 4096, -1), 4096);
        refused(list(8192, 0, 4096, Long.MIN_VALUE), 4096);
        refused(list(8192, 0, 4096, Long.MAX_VALUE), 4096);
        refused(list(8192, 0, 0xffffffffL, 0), 4096);
        refused(list(4095, 0, 4096, 0), 4096);
        refused(list(8192, 8191, 2, 0), 2);
        refused(list(8192, 0xffffffffL, 1, 0), 1);
        refused(list(8192, 0, 4095, 0), 4096);
        refused(list(8192), 1);
        ScatterList tooMany = new ScatterList();
        tooMany.set(MemorySegment.ofArray(new byte[16]), 2, 0, 0, 8192);
        refused(tooMany, 1);
        tooMany.set(MemorySegment.ofArray(new byte[16]), -1, 0, 0, 8192);
        refused(tooMany, 1);
    }

    @Test
    @DisplayName("bytes that are written twice leave others unwritten: such a list does not pass")
    void overlap() {
        refused(list(8192, 0, 4096, 0, 4096, 4096, 0), 8192);
        refused(list(8192, 0, 2000, 0, 0, 2096, 1000), 4096);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    @DisplayName("whatever random list passes writes each byte of the chunk, and none beside it")
    void randomLists(long seed) {
        Random random = new Random(seed);
        for (int n = 0; n < 20_000; n++) {
            int bytes = 1 + random.nextInt(12);
            long[] triples = new long[3 * random.nextInt(4)];
            for (int i = 0; i < triples.length; i++) {
                triples[i] = random.nextInt(14) - 1L;
            }
            ScatterList list = list(12, triples);
            try {
                list.check(bytes);
            } catch (TransportException e) {
                continue;
            }
            BitSet written = new BitSet();
            for (int i = 0; i < list.count(); i++) {
                written.set((int) list.destinationOffset(i), (int) (list.destinationOffset(i) + list.length(i)));
            }
            if (written.cardinality() != bytes || written.length() > bytes) {
                throw new AssertionError("seed " + seed + ": a list that passed writes " + written + " of " + bytes);
            }
        }
    }
}
