package org.sluice.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

final class TcpSocketTest {
    private static final String NAME = "no-socket-for-tcp";

    private static long open() {
        return Arrays.stream(Objects.requireNonNull(new File("/proc/self/fd").listFiles()))
                .filter(f -> {
                    try {
                        return Files.readSymbolicLink(f.toPath()).toString().contains(NAME);
                    } catch (IOException e) {
                        return false; // closed meanwhile
                    }
                })
                .count();
    }

    @Test
    @DisplayName("a descriptor that does not become a TCP socket is closed")
    void closed() throws Exception {
        try (Descriptor file = Memfd.open(NAME, 1)) {
            int none = file.duplicate().fd();
            assertThat(open()).isEqualTo(2);
            assertThatThrownBy(() -> TcpSocket.of(none, Optional.empty())).isInstanceOf(LinuxException.class);
            assertThat(open()).isEqualTo(1);
        }
    }
}
