package org.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is demanded and not there is an error with the reason; without the demand each of these runs passes in silence. */
class DemandsIT {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--require-nics=5                | 3 | the links use 4 (lo1, lo2, lo3, lo4)",
                "--require-nics=lo1,eth7         | 3 | do not use eth7",
                "--require-nics=0                | 3 | --require-nics '0'",
                "--require-transport=nccl-net    | 3 | this run is over tcp",
                "--min-rate=4000GB/s             | 6 | is below the 4000.000 of --min-rate",
                "--min-rate=0GB/s                | 3 | above 0"
            })
    void notMet(String demand, int status, String says) throws Exception {
        try (JarProcess p = run(demand)) {
            assertThat(p.await()).as(p.err()).isEqualTo(status);
            assertThat(p.err()).contains(says);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {"--require-nics=4", "--require-nics=lo1,lo4", "--require-transport=tcp", "--min-rate=0.001MB/s"})
    void met(String demand) throws Exception {
        try (JarProcess p = run(demand)) {
            assertThat(p.await()).as(p.err()).isZero();
            assertThat(p.out()).contains("path: tcp over 4 of 4 NICs (lo1, lo2, lo3, lo4), host memory");
        }
    }

    private static JarProcess run(String demand) throws Exception {
        return JarProcess.start(
                "loopback", "--gpus=1", "--channels=4", "--size=1MiB", "--iters=2", "--backend=host", demand);
    }
}
