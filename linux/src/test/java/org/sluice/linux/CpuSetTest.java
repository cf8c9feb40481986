package org.sluice.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CpuSetTest {
    @ParameterizedTest
    @ValueSource(strings = {"", "0", "0-51,104-155", "1,3,5", "8191"})
    void aListReadsAndPrintsTheSame(String list) {
        assertThat(CpuSet.parse(list)).hasToString(list);
    }

    @Test
    void rangesAreMergedAndBlanksIgnored() {
        assertThat(CpuSet.parse(" 4-5 , 0-3,7\n")).hasToString("0-5,7");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "5-2   | 0 | runs backwards",
                "1,,2  | 2 | not ','",
                "1-    | 2 | not the end",
                "1;2   | 1 | not ';'",
                "8192  | 0 | beyond 8191",
                "x     | 0 | not 'x'",
                "0-3:2 | 3 | not ':'",
                "99999999999999999999 | 0 | beyond 8191"
            })
    void aWrongListNamesThePosition(String list, int position, String problem) {
        assertThatThrownBy(() -> CpuSet.parse(list))
                .isInstanceOfSatisfying(
                        CpuListException.class, e -> assertThat(e.position()).isEqualTo(position))
                .hasMessageContaining(problem);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void anySetReadsBackFromItsPrint(long seed) {
        Random random = new Random(seed);
        for (int i = 0; i < 500; i++) {
            int most = 1 + random.nextInt(CpuSet.MOST);
            CpuSet set = CpuSet.of(IntStream.generate(() -> random.nextInt(most + 1))
                    .limit(random.nextInt(200))
                    .toArray());
            assertThat(CpuSet.parse(set.toString())).isEqualTo(set);
        }
    }

    @Test
    void setsMeetAndPart() {
        CpuSet a = CpuSet.parse("0-7");
        CpuSet b = CpuSet.parse("4-11");
        assertThat(a.and(b)).hasToString("4-7");
        assertThat(a.minus(b)).hasToString("0-3");
        assertThat(a.and(b).within(b)).isTrue();
        assertThat(a.within(b)).isFalse();
    }
}
