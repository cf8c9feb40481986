package org.sluice.cli.watch;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.sluice.cli.common.Json;

/** Who asks is answered from the process's start, not only while something moves. */
class FrontDoorTest {
    private static String get(int port, String path) throws Exception {
        try (var in = URI.create("http://127.0.0.1:" + port + path).toURL().openStream()) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Test
    void aProcessThatWaitsSaysForWhom() throws Exception {
        int port = Processes.freePort();
        try (FrontDoor door = new FrontDoor(Optional.of(MetricsAddress.of(":" + port)), Json::of)) {
            assertThat(get(port, "/metrics")).contains("sluice_phase{phase=\"opening\",waiting_for=\"\"} 1");
            door.phase("waiting", "the \"server\" h");
            assertThat(get(port, "/metrics"))
                    .contains("sluice_phase{phase=\"waiting\",waiting_for=\"the \\\"server\\\" h\"} 1")
                    .contains("\nsluice_phase_seconds ");
            JsonText.Node document = JsonText.parse(get(port, "/stats.json"));
            assertThat(document.get("phase").text()).isEqualTo("waiting");
            assertThat(document.get("running").isTrue()).isFalse();
            assertThat(get(port, "/")).contains("<html");
        }
    }
}
