package org.sluice.tcp.survive;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A share of {@link ClientRush}. */
class ClientRushTest {
    private static final int CLIENTS = 40;
    private static final int STRANGERS = 20;

    @Test
    @Timeout(value = 280, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void allClientsThatComeAtOnceBesideSilentStrangersAreLinked() throws Exception {
        ClientRush.Result r = ClientRush.run(CLIENTS, STRANGERS, Duration.ofSeconds(60));
        assertThat(r.linked()).as("linked of %d: %s", CLIENTS, r.said()).isEqualTo(CLIENTS);
        assertThat(r.carried()).isEqualTo(CLIENTS);
        assertThat(r.strangers()).isEqualTo(STRANGERS);
        assertThat(r.connections()).isGreaterThanOrEqualTo(CLIENTS);
    }
}
