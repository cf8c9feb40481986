package org.sluice.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The tightest of machine and control groups counts, whichever version and wherever in the tree. */
class MemoryRoomTest {
    @TempDir
    Path root;

    private Path proc;
    private Path mounted;

    @BeforeEach
    void machine() throws IOException {
        proc = root.resolve("proc");
        mounted = root.resolve("cgroup");
        write(proc.resolve("meminfo"), "MemTotal: 9000000 kB\nMemFree: 10 kB\nMemAvailable:    8388608 kB\n");
    }

    private static void write(Path file, String text) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    private void group(String membership, String mountRoot, String type, String options) throws IOException {
        write(proc.resolve("self/cgroup"), membership + "\n");
        write(
                proc.resolve("self/mountinfo"),
                "30 20 0:5 / /proc rw - proc proc rw\n31 20 0:6 " + mountRoot + " " + mounted + " rw shared:9 - " + type
                        + " cgroup " + options + "\n");
    }

    @Test
    void withoutAGroupItIsWhatTheMachineHasAvailable() {
        assertThat(MemoryRoom.of(proc)).extracting(MemoryRoom::bytes).isEqualTo(8L << 30);
        assertThat(MemoryRoom.of(proc).limit()).contains("MemAvailable");
    }

    @Test
    void ofVersionTwoTheTightestUpTheTreeLessWhatIsUsedAndNotIdle() throws IOException {
        group("0::/pod/app", "/", "cgroup2", "rw");
        write(mounted.resolve("pod/app/memory.max"), "max\n");
        write(mounted.resolve("pod/memory.max"), (1000L << 20) + "\n");
        write(mounted.resolve("pod/memory.current"), (700L << 20) + "\n");
        write(mounted.resolve("pod/memory.stat"), "anon 1\ninactive_file " + (200L << 20) + "\nactive_file 5\n");
        assertThat(MemoryRoom.of(proc).bytes()).isEqualTo(500L << 20);
        assertThat(MemoryRoom.of(proc).limit()).contains(mounted.resolve("pod").toString(), "1000 MiB");
    }

    @Test
    void ofVersionOneByTheMemoryHierarchy() throws IOException {
        group("4:cpu,memory:/docker/abc", "/", "cgroup", "rw,cpu,memory");
        write(mounted.resolve("docker/abc/memory.limit_in_bytes"), "400000\n");
        write(mounted.resolve("docker/abc/memory.usage_in_bytes"), "100000\n");
        write(mounted.resolve("docker/abc/memory.stat"), "inactive_file 1\ntotal_inactive_file 50000\n");
        assertThat(MemoryRoom.of(proc).bytes()).isEqualTo(350_000);
    }

    @Test
    void inAContainerTheGroupIsAtTheMountPoint() throws IOException {
        group("4:memory:/docker/abc", "/docker/abc", "cgroup", "rw,memory");
        write(mounted.resolve("memory.limit_in_bytes"), "400000\n");
        assertThat(MemoryRoom.of(proc).bytes()).isEqualTo(400_000);
        group("4:memory:/docker/abc", "/another", "cgroup", "rw,memory");
        assertThat(MemoryRoom.of(proc).bytes()).isEqualTo(400_000);
    }

    @Test
    void aGroupThatHoldsMoreThanItsLimitHasNoRoomAndOneWithoutLimitBoundsNothing() throws IOException {
        group("0::/", "/", "cgroup2", "rw");
        write(mounted.resolve("memory.max"), "100\n");
        write(mounted.resolve("memory.current"), "700\n");
        assertThat(MemoryRoom.of(proc).bytes()).isZero();
        group("4:memory:/", "/", "cgroup", "rw,memory");
        write(mounted.resolve("memory.limit_in_bytes"), "9223372036854771712\n");
        assertThat(MemoryRoom.of(proc).bytes()).isEqualTo(8L << 30);
    }

    @Test
    void theTightestQuotaOfCpuTimeUpTheTree() throws IOException {
        group("0::/pod/app", "/", "cgroup2", "rw");
        write(mounted.resolve("pod/app/cpu.max"), "400000 100000\n");
        write(mounted.resolve("pod/cpu.max"), "150000 100000\n");
        write(mounted.resolve("cpu.max"), "max 100000\n");
        assertThat(CpuQuota.of(proc.resolve("self")))
                .hasValueSatisfying(q -> assertThat(q.cpus()).isEqualTo(1.5))
                .hasValueSatisfying(q -> assertThat(q.group()).isEqualTo(mounted.resolve("pod")));
        group("4:cpu,cpuacct:/docker/abc", "/", "cgroup", "rw,cpu,cpuacct");
        write(mounted.resolve("docker/abc/cpu.cfs_quota_us"), "-1\n");
        write(mounted.resolve("docker/abc/cpu.cfs_period_us"), "100000\n");
        assertThat(CpuQuota.of(proc.resolve("self"))).isEmpty();
        write(mounted.resolve("docker/abc/cpu.cfs_quota_us"), "50000\n");
        assertThat(CpuQuota.of(proc.resolve("self")))
                .hasValueSatisfying(q -> assertThat(q.cpus()).isEqualTo(0.5));
    }

    @Test
    void thisMachineTells() {
        assertThat(MemoryRoom.now().bytes()).isBetween(1L << 20, 1L << 50);
    }
}
