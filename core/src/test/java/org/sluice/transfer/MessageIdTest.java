package org.sluice.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

final class MessageIdTest {
    @Test
    @DisplayName("kind and count come out as they went in")
    void parts() {
        long most = (1L << 62) - 1;
        for (long kind = 0; kind < 4; kind++) {
            for (long count : new long[] {0, 1, 1L << 40, most}) {
                long id = MessageId.of(kind, count);
                assertThat(MessageId.kind(id)).isEqualTo(kind);
                assertThat(MessageId.count(id)).isEqualTo(count);
            }
        }
        assertThat(MessageId.toString(MessageId.of(MessageId.WRITE, 3))).isEqualTo("write 3");
        assertThat(MessageId.toString(MessageId.of(3, 9))).isEqualTo("unknown transfer 9");
    }
}
