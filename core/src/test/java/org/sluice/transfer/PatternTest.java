package org.sluice.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class PatternTest {
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
    @DisplayName("what was filled compares, whole or in parts; any changed byte is found, exactly")
    void findsAnyChange(long seed) {
        Random random = new Random(seed);
        int size = 1 + random.nextInt(5000);
        MemorySegment block = MemorySegment.ofArray(new byte[size]);
        Pattern.fill(block, 0, size, seed);
        assertThat(Pattern.mismatch(block, 0, size, seed)).isEqualTo(-1);
        long from = random.nextInt(size / 8 + 1) * 8L;
        assertThat(Pattern.mismatch(block, from, size - from, seed)).isEqualTo(-1);
        MemorySegment parts = MemorySegment.ofArray(new byte[size]);
        Pattern.fill(parts, from, size - from, seed);
        Pattern.fill(parts, 0, from, seed);
        assertThat(parts.mismatch(block)).isEqualTo(-1);
        int at = random.nextInt(size);
        block.set(ValueLayout.JAVA_BYTE, at, (byte) (block.get(ValueLayout.JAVA_BYTE, at) ^ (1 << random.nextInt(8))));
        assertThat(Pattern.mismatch(block, 0, size, seed)).isEqualTo(at);
    }

    @Test
    @DisplayName("chunks at the wrong place, of another GPU, iteration or direction do not compare")
    void otherPlaces() {
        long chunk = 4096;
        MemorySegment block = MemorySegment.ofArray(new byte[(int) (2 * chunk)]);
        long seed = Pattern.seed(0, 3, 17);
        Pattern.fill(block, 0, 2 * chunk, seed);
        MemorySegment swapped = MemorySegment.ofArray(new byte[(int) (2 * chunk)]);
        MemorySegment.copy(block, 0, swapped, chunk, chunk);
        MemorySegment.copy(block, chunk, swapped, 0, chunk);
        assertThat(Pattern.mismatch(swapped, 0, chunk, seed)).isBetween(0L, 7L);
        Set<Long> seeds = new HashSet<>();
        for (int sender = 0; sender < 2; sender++) {
            for (int gpu = 0; gpu < 64; gpu++) {
                for (long i = 0; i < 100; i++) {
                    long s = Pattern.seed(sender, gpu, i);
                    assertThat(seeds.add(s)).isTrue();
                    if (s != seed) {
                        assertThat(Pattern.mismatch(block, 0, 64, s)).isBetween(0L, 7L);
                    }
                }
            }
        }
    }

    @Test
    @DisplayName("offsets within a word are the caller's error")
    void withinAWord() {
        MemorySegment block = MemorySegment.ofArray(new byte[64]);
        assertThatThrownBy(() -> Pattern.fill(block, 4, 8, 0)).isInstanceOf(IllegalArgumentException.class);
    }
}
