package org.sluice.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.sluice.LinkException;
import org.sluice.NodeConfig;
import org.sluice.cli.common.FreePorts;

class BenchTest {
    private static final BenchSetting SETTING = new BenchSetting(2, 64 << 10, 8);

    @Test
    void quantilesAreTheLeastTimeThatTheirPartDoesNotExceed() {
        long[] nanos =
                LongStream.rangeClosed(1, 1000).map(i -> (1001 - i) * 1000).toArray();
        BenchPoint p = BenchPoint.of(1_000_000, SETTING, nanos, nanos, 500_000_000, 0);
        assertThat(p.p50()).isEqualTo(500);
        assertThat(p.p99()).isEqualTo(990);
        assertThat(p.p999()).isEqualTo(999);
        assertThat(p.algbw()).isEqualTo(2.0); // 1000 times 1 MB in half a second
        assertThat(p.micros()).isEqualTo(500.0);
    }

    @Test
    void tuningFindsTheBestOfEachDimensionAndIsNotMisledByOneLuckyRound() {
        int[] calls = {0};
        BenchTuning tuning = new BenchTuning(s -> {
            double speed = 10.0 - Math.abs(s.channels() - 4) - Math.abs(s.chunk() - 2) - Math.abs(s.window() - 8);
            boolean lucky = calls[0]++ == 0; // the first candidate, once
            return BenchPoint.of(
                    Math.round(1e9 * (lucky ? 99 : speed)), s, new long[] {1}, new long[] {1}, 1_000_000_000, 0);
        });
        BenchSetting best = tuning.best(List.of(1, 4, 8), List.of(1L, 2L), List.of(4, 8), new BenchSetting(1, 1, 4));
        assertThat(best).isEqualTo(new BenchSetting(4, 2, 8));
        assertThat(tuning.points()).hasSize(3 * (3 + 2 + 2));
    }

    @Test
    void oneServerMeasuresOneSettingAfterTheOtherAndEveryByteIsRight() {
        int port = FreePorts.inARow(1);
        CompletableFuture<Void> server = CompletableFuture.runAsync(() -> BenchServer.serve(
                node(port).window(1024).clientWait(Duration.ofMillis(500)).build()));
        for (BenchSetting s : List.of(SETTING, new BenchSetting(3, 128 << 10, 4))) {
            NodeConfig config = node(port)
                    .channels(s.channels())
                    .chunkBytes(s.chunk())
                    .window(s.window())
                    .note(BenchServer.note(1 << 20))
                    .build();
            try (BenchLink link = BenchLink.connect(
                    config, "127.0.0.1", 1 << 20, s, new BenchWork(BenchWork.Op.WRITE, 0, false, false))) {
                for (long size : new long[] {1, 4096, 1 << 20}) {
                    BenchPoint p = link.measure(size, Duration.ofMillis(20), 3);
                    assertThat(p.wrong()).isZero();
                    assertThat(p.count()).isPositive();
                    assertThat(p.size()).isEqualTo(size);
                    assertThat(p.p50()).isPositive().isLessThanOrEqualTo(p.p999());
                }
            }
        }
        assertThatThrownBy(server::join).hasCauseInstanceOf(LinkException.class); // nobody else came
    }

    private static NodeConfig.Builder node(int port) {
        return NodeConfig.builder()
                .gpus(1)
                .backend("host")
                .nics(List.of("lo1", "lo2"))
                .portBase(port);
    }
}
