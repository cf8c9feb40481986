package org.sluice.linux;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import org.junit.jupiter.api.Test;

class DescriptorOutputTest {
    @Test
    void whatCannotBeWrittenIsTold() {
        DescriptorOutput none = new DescriptorOutput(1_000_000);
        assertThatThrownBy(() -> none.write("text".getBytes(UTF_8)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("errno 9");
    }
}
