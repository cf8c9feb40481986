package org.sluice.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BindingsTest {
    /** What users of an A3 High node set. */
    private static final String A3_HIGH = "eth1:8-21,112-125;eth2:8-21,112-125;eth3:60-73,164-177;eth4:60-73,164-177";

    @Test
    void theTcpxSyntaxReadsAndPrintsTheSame() {
        Bindings b = Bindings.parse(A3_HIGH);
        assertThat(b).hasToString(A3_HIGH);
        assertThat(b.byNic().keySet()).containsExactly("eth1", "eth2", "eth3", "eth4");
        assertThat(b.of("eth3")).contains(CpuSet.parse("60-73,164-177"));
        assertThat(b.of("eth0")).isEmpty();
    }

    @Test
    void emptyBindsNothingAndATrailingSemicolonPasses() {
        assertThat(Bindings.parse("")).isEqualTo(Bindings.NONE);
        assertThat(Bindings.parse(" eth1 : 0 ; ")).hasToString("eth1:0");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "eth1:8-21,x    | 10 | a CPU number must be here, not 'x'",
                "eth1           | 4  | a colon must follow network device eth1, not the end",
                "eth1:          | 5  | a CPU number must be here, not the end",
                "eth1:0;;eth2:1 | 7  | a network device name is missing before ';'",
                ":0-3           | 0  | a network device name is missing before ':'",
                "eth1:0;eth1:1  | 7  | eth1 is bound twice",
                "eth1:0 eth2:1  | 7  | a comma, a semicolon or the end must be here, not 'e'",
                "eth1:3-1       | 5  | the range 3-1 runs backwards",
                "eth1:-1        | 5  | a CPU number must be here, not '-'"
            })
    void aWrongStringNamesThePosition(String text, int position, String problem) {
        assertThatThrownBy(() -> Bindings.parse(text))
                .isInstanceOfSatisfying(
                        CpuListException.class, e -> assertThat(e.position()).isEqualTo(position))
                .hasMessageContaining("position " + (position + 1) + ": " + problem)
                .hasMessageContaining("  " + text);
    }

    /** A string with a few letters changed is either read, and then reads back from its print, or refused with a position. */
    @ParameterizedTest
    @ValueSource(longs = {11, 12, 13, 14, 15, 16, 17, 18})
    void mutatedStringsAreReadOrRefusedWithAPosition(long seed) {
        Random random = new Random(seed);
        String letters = "eth0123456789:;,- x\t\u00e9";
        int refused = 0;
        for (int i = 0; i < 2000; i++) {
            StringBuilder text = new StringBuilder(A3_HIGH);
            for (int change = random.nextInt(4); change >= 0; change--) {
                int at = random.nextInt(text.length());
                char letter = letters.charAt(random.nextInt(letters.length()));
                switch (random.nextInt(3)) {
                    case 0 -> text.setCharAt(at, letter);
                    case 1 -> text.insert(at, letter);
                    default -> text.delete(at, Math.min(text.length(), at + 1 + random.nextInt(8)));
                }
            }
            try {
                Bindings b = Bindings.parse(text.toString());
                assertThat(Bindings.parse(b.toString())).isEqualTo(b);
            } catch (CpuListException e) {
                refused++;
                assertThat(e.position()).isBetween(0, text.length());
            }
        }
        assertThat(refused).isBetween(1, 1999);
    }
}
