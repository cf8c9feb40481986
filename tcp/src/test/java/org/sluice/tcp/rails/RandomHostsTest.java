package org.sluice.tcp.rails;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sluice.testkit.CProgram;
import org.sluice.testkit.Namespaces;

/** Whatever NICs two hosts have, each that reaches the other host is used or said, and the bytes are right. */
class RandomHostsTest {
    @TempDir
    private static Path folder;

    private static Path reach;

    @BeforeAll
    static void build() throws Exception {
        assumeTrue(Namespaces.canRun(), Namespaces::whyNot);
        assumeTrue(CProgram.canBuild(), "which NICs reach each other is found out by a C program: there is no gcc");
        reach = CProgram.program("reach.c", folder);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
    void everyRailIsFoundOrItsAbsenceIsSaid(long seed) throws Exception {
        RandomHostsRound round = RandomHostsRound.run(seed, reach);
        assertThat(round.complaint()).as(round.toString()).isEmpty();
        assertThat(round.reaching())
                .as("the cable of the control connection works")
                .contains("ctl ctl");
    }
}
