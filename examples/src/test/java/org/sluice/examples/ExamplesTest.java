package org.sluice.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The examples run, as two processes, and stay as short as the README says. */
class ExamplesTest {
    private static Process start(Class<?> example, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=org.sluice.core,org.sluice.linux,org.sluice.tcp",
                "-p",
                System.getProperty("jdk.module.path"),
                "-m",
                "org.sluice.examples/" + example.getName()));
        command.addAll(Arrays.asList(arguments));
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }

    private static String output(Process p) throws IOException, InterruptedException {
        String said = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(p.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(p.exitValue()).as(said).isZero();
        return said;
    }

    @Test
    void theReceiverGetsWhatTheSenderSends() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        Process receiver = start(Receiver.class, Integer.toString(port));
        Process sender = start(Sender.class, "127.0.0.1", Integer.toString(port));
        try {
            assertThat(output(sender)).contains("sent 268435456 bytes");
            assertThat(output(receiver)).contains("received 268435456 bytes", "all as they were sent");
        } finally {
            sender.destroyForcibly();
            receiver.destroyForcibly();
        }
    }

    @Test
    void pagesOfACacheAreMovedAndTold() throws Exception {
        Process both = start(PagedCache.class);
        try {
            assertThat(output(both)).contains("request 4711: 81920 bytes");
            assertThat(Files.readAllLines(Path.of("src/main/java/org/sluice/examples/PagedCache.java")))
                    .hasSizeLessThan(60);
        } finally {
            both.destroyForcibly();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"Sender", "Receiver"})
    void theyAreShort(String name) throws IOException {
        assertThat(Files.readAllLines(Path.of("src/main/java/org/sluice/examples", name + ".java")))
                .hasSizeLessThan(40);
    }
}
