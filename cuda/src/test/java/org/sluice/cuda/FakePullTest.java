package org.sluice.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.sluice.contract.PullContract;
import org.sluice.testkit.CProgram;
import org.sluice.testkit.FakeCuda;

/** The fake driver's GPUs of two processes, with the rules that real drivers have for memory of others. */
class FakePullTest extends PullContract {
    private static FakeCuda fake;

    FakePullTest() {
        super("cuda", Map.of(CudaLibrary.VARIABLE, System.getenv(CudaLibrary.VARIABLE)));
    }

    @BeforeAll
    static void build() throws IOException {
        assumeTrue(CProgram.canBuild(), "no gcc to build the fake driver with");
        Path library = Path.of(System.getenv(CudaLibrary.VARIABLE));
        fake = FakeCuda.load(Files.createDirectories(library.getParent()));
    }

    @AfterAll
    static void nothingIsLeftAndNothingWasBroken() {
        if (fake != null) {
            assertThat(fake.breach()).isEmpty();
            assertThat(fake.live()).isEmpty();
        }
    }

    @Override
    protected long open() {
        return fake.count("imports");
    }
}
