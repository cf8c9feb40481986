package org.sluice.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ElfLibraryTest {
    @TempDir
    Path folder;

    /** A library that is mapped into every Java process. */
    private static Path libjava() {
        return Path.of(System.getProperty("java.home"), "lib", "libjava.so");
    }

    @Test
    void exportsAndNeedsOfALibraryAreRead() throws IOException {
        ElfLibrary e = ElfLibrary.read(libjava());
        assertThat(e.exports()).contains("JNU_ThrowByName", "Java_java_lang_Object_getClass");
        assertThat(e.exports()).doesNotContain("malloc", "JNI_CreateJavaVM"); // wanted, not defined
        assertThat(e.needs()).contains("libjvm.so", "libc.so.6");
        assertThat(e.machine()).isIn(62, 183);
    }

    @Test
    void whatIsNoLibraryIsRefused() throws IOException {
        Path text = Files.writeString(folder.resolve("x.so"), "#!/bin/sh\n" + " ".repeat(100));
        assertThatThrownBy(() -> ElfLibrary.read(text))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("no 64-bit ELF");
        Path empty = Files.createFile(folder.resolve("empty.so"));
        assertThatThrownBy(() -> ElfLibrary.read(empty))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("0 bytes");
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void aDamagedLibraryIsReadOrRefused(long seed) throws IOException {
        byte[] good = Files.readAllBytes(libjava());
        Random random = new Random(seed);
        int sections = Math.toIntExact(
                ByteBuffer.wrap(good).order(ByteOrder.LITTLE_ENDIAN).getLong(0x28));
        for (int i = 0; i < 60; i++) {
            byte[] bad = good.clone();
            for (int change = 0; change < 8; change++) {
                // in the headers, where it hurts
                int at = random.nextBoolean()
                        ? 16 + random.nextInt(48)
                        : sections + random.nextInt(bad.length - sections);
                bad[at] = (byte) random.nextInt();
            }
            Path file = Files.write(folder.resolve("bad.so"), bad);
            try {
                ElfLibrary.read(file);
            } catch (IOException e) {
                assertThat(e).hasMessageContaining("bad.so");
            }
        }
    }
}
