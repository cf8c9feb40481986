package org.sluice.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class ProcessAgeTest {
    private static final String REST = " 0 0 20 0 1 0 1607536 3133440 362";

    @Test
    void isTheTimeSinceTheStart() throws IOException {
        assertThat(ProcessAge.of(
                        "16077.86 17742.93", "27082 (a) b) R 27077 27077 23392 0 -1 4194304 114 0 0 0 0 0" + REST))
                .isEqualTo(Duration.ofMillis(2500));
    }

    @Test
    void ofThisProcessIsWithinASecondOfWhatTheJdkSays() throws IOException {
        Duration jdk =
                Duration.between(ProcessHandle.current().info().startInstant().orElseThrow(), java.time.Instant.now());
        assertThat(ProcessAge.now()).isBetween(jdk.minusSeconds(2), jdk.plusSeconds(2));
    }

    @Test
    void whatIsNoStatIsRefused() {
        assertThatThrownBy(() -> ProcessAge.of("16077.86 1.0", "27082 (cat) R 1 2"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("no age");
    }
}
