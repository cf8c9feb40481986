package org.sluice.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.sluice.contract.SharingChild;
import org.sluice.contract.SharingContract;
import org.sluice.contract.SharingProcess;
import org.sluice.spi.Gpu;
import org.sluice.spi.GpuException;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.PeerMemory;
import org.sluice.spi.SharedPart;

final class HostSharingTest extends SharingContract {
    private long shared;

    @Override
    protected Gpu openGpu() {
        return new HostGpuBackend().open(0);
    }

    @Override
    protected SharingProcess peer(long bytes, long offset) {
        return SharingProcess.start(SharingChild.class, Map.of(), "host", 0, bytes, offset);
    }

    @BeforeEach
    void count() {
        shared = memfds();
    }

    @Override
    protected void afterClose() {
        assertThat(memfds()).as("descriptors of shared memory").isEqualTo(shared);
    }

    private static long memfds() {
        long n = 0;
        for (File fd : Objects.requireNonNull(new File("/proc/self/fd").listFiles())) {
            n += isShared(fd);
        }
        return n;
    }

    private static int isShared(File fd) {
        try {
            return fd.getCanonicalPath().contains("memfd:sluice-region") ? 1 : 0;
        } catch (IOException e) {
            return 0; // closed meanwhile
        }
    }

    @Test
    @DisplayName("memory that was not made to be shared is refused, with what to do")
    void ordinaryMemory() {
        try (GpuMemory own = gpu().allocate(4096)) {
            assertThatThrownBy(() -> sharing().export(own))
                    .isInstanceOf(GpuException.class)
                    .hasMessageContaining("host GPU 0")
                    .hasMessageContaining("allocate it as shareable");
        }
    }

    @Test
    @DisplayName("a descriptor that its owner could still shrink is refused: reading beyond its end would kill the JVM")
    void unsealed() throws Exception {
        try (PeerMemory theirs = sharing().peer("the peer");
                RandomAccessFile file = new RandomAccessFile("/proc/self/exe", "r")) {
            int fd = descriptorOf(file);
            SharedPart part =
                    new SharedPart(SharedPart.Kind.MEMFD, 1, 4096, 0, 4096, new byte[0], HostLibc.duplicate(fd));
            assertThatThrownBy(() -> theirs.open(List.of(part)))
                    .isInstanceOf(GpuException.class)
                    .hasMessageContaining("sealed");
        }
    }

    /** The newest descriptor of the process that is this file. */
    private static int descriptorOf(RandomAccessFile file) throws IOException {
        assertThat(file.length()).isPositive();
        String exe = new File("/proc/self/exe").getCanonicalPath();
        int found = -1;
        for (File fd : Objects.requireNonNull(new File("/proc/self/fd").listFiles())) {
            if (fd.getCanonicalPath().equals(exe)) {
                found = Math.max(found, Integer.parseInt(fd.getName()));
            }
        }
        return found;
    }
}
