package org.sluice.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.Objects;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.sluice.linux.Descriptor;
import org.sluice.linux.LinuxException;
import org.sluice.linux.Memfd;
import org.sluice.linux.UnixSocket;

final class ConnectionTest {
    private static final String NAME = "no-socket-of-a-client";

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
    @DisplayName("a descriptor that does not become a connection is closed")
    void closed() throws Exception {
        try (Descriptor file = Memfd.open(NAME, 1)) {
            UnixSocket none = UnixSocket.of(file.duplicate().fd());
            assertThat(open()).isEqualTo(2);
            assertThatThrownBy(() -> Connection.over(none, 1, () -> {}))
                    .isInstanceOf(LinuxException.class)
                    .hasMessageContaining("credentials");
            assertThat(open()).isEqualTo(1);
        }
    }
}
