package org.sluice.cli.watch;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What a terminal is sent. */
class ProgressTest {
    private static final String RED = "\033[31m";

    private final ByteArrayOutputStream terminal = new ByteArrayOutputStream();
    private final Progress progress = progress(List.of("eth1", "eth2"), 4_000_000_000L);

    private Progress progress(List<String> nics, long planned) {
        return new Progress(List.of(0, 3), nics, planned, new PrintStream(terminal, true, StandardCharsets.UTF_8));
    }

    private static Reading reading(double seconds, long gpu, long nic, int nics) {
        long[] sent = IntStream.range(0, nics).mapToLong(n -> nic).toArray();
        return new Reading(seconds, new long[] {gpu, gpu}, sent, new long[nics], 0);
    }

    @Test
    void aBarForEachGpuTheWholeAndEachRail() {
        List<String> lines = progress.lines(
                reading(1, 500_000_000, 500_000_000, 2), reading(2, 1_000_000_000, 1_000_000_000, 2), Map.of());
        String half = "█".repeat(12) + "░".repeat(12);
        assertThat(lines)
                .containsExactly(
                        "GPU 0  " + half + "  50 %    0.500 GB/s",
                        "GPU 3  " + half + "  50 %    0.500 GB/s",
                        "all    " + half + "  50 %    1.000 GB/s  ETA 2 s",
                        "rails  eth1 0.500  eth2 0.500");
    }

    @Test
    void beforeTheFirstByteItPrepares() {
        assertThat(progress.lines(reading(0, 0, 0, 2), reading(1, 0, 0, 2), Map.of())
                        .get(2))
                .endsWith("preparing");
    }

    @Test
    void aRunForATimeHasNoBarAndNoEta() {
        List<String> lines = progress(List.of("eth1"), 0)
                .lines(reading(0, 0, 0, 1), reading(150, 1_000_000_000, 2_000_000_000, 1), Map.of());
        assertThat(lines).noneMatch(l -> l.contains("█") || l.contains("ETA"));
        assertThat(lines.get(2)).endsWith("2.0 GB in 3 min");
    }

    @Test
    void onlyAStalledRailIsRed() {
        List<String> lines =
                progress.lines(reading(1, 1, 1, 2), reading(2, 2, 2, 2), Map.of("eth1", 0.4, "eth2", 1.25));
        assertThat(lines.getLast()).contains("eth1 0.000  " + RED + "eth2 stalled 1.3 s");
        assertThat(String.join("", lines).split(Pattern.quote(RED), -1)).hasSize(2);
    }

    @Test
    void manyRailsTakeMoreLinesAndNoneIsTooLong() {
        List<String> nics =
                IntStream.range(0, 16).mapToObj(n -> "enp" + n + "s0f0").toList();
        List<String> lines = progress(nics, 1).lines(reading(0, 0, 0, 16), reading(1, 1, 1, 16), Map.of());
        assertThat(lines).allSatisfy(l -> assertThat(l).hasSizeLessThanOrEqualTo(78));
        nics.forEach(nic -> assertThat(lines).anyMatch(l -> l.contains(" " + nic + " ")));
    }

    @Test
    void itIsPaintedOverAndInTheEndTakenOff() {
        progress.show(reading(1, 1, 1, 2), Map.of());
        progress.show(reading(2, 2, 2, 2), Map.of());
        String before = terminal.toString(StandardCharsets.UTF_8);
        assertThat(before.split("\033\\[4A\r", -1)).hasSize(2);
        progress.clear();
        progress.clear();
        assertThat(terminal.toString(StandardCharsets.UTF_8).substring(before.length()))
                .isEqualTo("\033[4A\r\033[J");
    }

    @Test
    void whatOthersPrintStaysAboveWhatIsPaintedNext() {
        progress.show(reading(1, 1, 1, 2), Map.of());
        int painted = terminal.size();
        progress.others().println("a warning");
        progress.show(reading(2, 2, 2, 2), Map.of());
        String then = terminal.toString(StandardCharsets.UTF_8)
                .substring(new String(terminal.toByteArray(), 0, painted, StandardCharsets.UTF_8).length());
        assertThat(then).startsWith("\033[4A\r\033[Ja warning\n").doesNotContain("\033[4A\r\033[?7l");
        assertThat(then).contains("GPU 0");
    }
}
