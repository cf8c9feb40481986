package org.sluice.ncclnet;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.sluice.testkit.FreePorts;

/** Faults that end a process or stop a thread: both are named. */
@Timeout(60)
class PluginProcessTest {
    private record Ended(int status, String output) {}

    private static Ended run(String fault) throws Exception {
        FakePlugin plugin = FakePlugin.plain(7);
        Process p = new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:+UseSerialGC",
                        "-XX:-CreateCoredumpOnCrash",
                        "-XX:ErrorFile=" + plugin.file().resolveSibling("hs_err_pid%p.log"),
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        PluginVictim.class.getName(),
                        plugin.file().toString(),
                        fault,
                        String.valueOf(FreePorts.block(1))))
                .redirectErrorStream(true)
                .start();
        try {
            String output = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(p.waitFor(30, TimeUnit.SECONDS)).isTrue();
            return new Ended(p.exitValue(), output);
        } finally {
            p.destroyForcibly();
        }
    }

    @Test
    void anExitInAPluginNamesThreadCallAndChannel() throws Exception {
        Ended ended = run("test:exit=7@20");
        assertThat(ended.status).isEqualTo(7);
        assertThat(ended.output)
                .contains("native code called exit()")
                .contains("The plugin's last warning: assertion failed in test, exiting")
                .containsPattern("gpu0-agent +test +fake\\d channel \\d \\((send|receive)\\)")
                .doesNotContain("done");
    }

    /** The JVM tells of it, with the file that has the stack, and nobody calls it an exit. */
    @Test
    void aNativeCrashIsNotCalledAnExit() throws Exception {
        Ended ended = run("test:crash@20");
        assertThat(ended.status).isNotZero();
        assertThat(ended.output)
                .contains("A fatal error has been detected by the Java Runtime Environment")
                .contains("hs_err_pid")
                .doesNotContain("called exit()");
    }

    @Test
    void anOrderlyEndSaysNothingOfThat() throws Exception {
        Ended ended = run("");
        assertThat(ended.status).isZero();
        assertThat(ended.output).contains("done").doesNotContain("exit()");
    }

    @Test
    void aCallThatDoesNotComeBackIsNamed() throws Exception {
        Ended ended = run("test:hang=1500@20");
        assertThat(ended.output)
                .containsPattern("libnccl-net-fake.so \\(API 7\\): gpu0-agent has been in test of fake\\d channel \\d"
                        + " \\((send|receive)\\) for \\d")
                .contains("done");
        assertThat(ended.status).isZero();
    }
}
