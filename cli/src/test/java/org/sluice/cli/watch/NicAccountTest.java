package org.sluice.cli.watch;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class NicAccountTest {
    private static final long GB = 1_000_000_000;

    /** A sender of 1 GB in 512 KiB chunks. */
    private static NicAccount sender(long kernelSent, long kernelReceived) {
        return new NicAccount(
                "eth4", List.of("eth4"), false, GB, 0, 1908, 0, 40, 1500, 0, 0, 0, kernelSent, kernelReceived);
    }

    @Test
    void aKernelThatCountsBigPacketsOrSmallOnesAgrees() {
        long framed = GB + 1908L * 40;
        assertThat(sender(framed + framed / 65_483 * 66, 3_000_000).disagreement())
                .isEmpty();
        assertThat(sender(framed + framed / 1448 * 66, 20_000_000).disagreement())
                .isEmpty();
    }

    @Test
    void aNicThatCountedLessThanThePayloadIsNamed() {
        assertThat(sender(0, 0).disagreement()).startsWith("eth4 has sent 0 bytes");
        assertThat(sender(GB / 2, 0).disagreement()).startsWith("eth4 has sent 500000000 bytes");
        // one chunk went another way
        assertThat(sender(GB - 524_288, 0).agrees()).isFalse();
    }

    @Test
    void aNicThatCountedMoreThanHeadersExplainIsNamed() {
        assertThat(sender(2 * GB, 0).disagreement()).contains("something else uses this NIC");
        assertThat(sender(GB + GB / 20, GB / 2).disagreement()).startsWith("eth4 has received 500000000 bytes");
    }

    @Test
    void whatWasSentAgainIsExplained() {
        long kernel = GB + GB / 1448 * 66 + GB / 2;
        assertThat(sender(kernel, 0).agrees()).isFalse();
        NicAccount again =
                new NicAccount("eth4", List.of("eth4"), false, GB, 0, 1908, 0, 40, 1500, 0, GB / 2, 0, kernel, 0);
        assertThat(again.agrees()).isTrue();
    }

    @Test
    void whatSocketsOfLostChannelsDiscardedIsNotMissed() {
        long lost = 16L * 524_288;
        long framed = GB + 1908L * 40;
        assertThat(lossy(lost, framed - lost).agrees()).isTrue();
        assertThat(lossy(lost, framed - 2 * lost).agrees()).isFalse();
    }

    private static NicAccount lossy(long discarded, long kernelSent) {
        return new NicAccount("eth4", List.of("eth4"), false, GB, 0, 1908, 0, 40, 1500, 0, 0, discarded, kernelSent, 0);
    }

    @Test
    void overLoopbackWhatIsReceivedWasSentThereTooAndOthersMayTalk() {
        NicAccount lo = new NicAccount(
                "lo", List.of("lo0", "lo1"), true, GB, GB, 1908, 1908, 40, 65536, 0, 0, 0, 9 * GB, 9 * GB);
        assertThat(lo.leastSent()).isEqualTo(2 * (GB + 1908 * 40));
        assertThat(lo.agrees()).isTrue();
    }

    @Test
    void aPeerWithASmallerMtuExplainsMoreHeadersAndIsNamed() {
        long kernel = GB + 1908L * 40 + GB / 1448 * 66;
        NicAccount jumbo =
                new NicAccount("eth4", List.of("eth4"), false, GB, 0, 1908, 0, 40, 9000, 0, 0, 0, kernel, 40_000_000);
        assertThat(jumbo.agrees()).isFalse(); // nobody tells the segments: as it was
        NicAccount told = new NicAccount(
                "eth4", List.of("eth4"), false, GB, 0, 1908, 0, 40, 9000, 1448, 0, 0, kernel, 40_000_000);
        assertThat(told.disagreement()).isEmpty();
        assertThat(told.smallerSegments()).contains("eth4 has an MTU of 9000", "segments of 1448 bytes");
        assertThat(sender(0, 0).smallerSegments()).isEmpty();
    }
}
