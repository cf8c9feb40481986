package org.sluice.linux;

import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * What a shared library offers and wants, read from its file without loading it: loading runs its code, and a foreign plugin may
 * do anything. Structures and numbers are those of {@code <elf.h>}, 64-bit little-endian.
 *
 * @param machine {@code e_machine}: 62 for x86-64, 183 for AArch64
 * @param exports names of the dynamic symbols that it defines
 * @param needs names of the libraries that the loader must find for it
 */
public record ElfLibrary(int machine, Set<String> exports, List<String> needs) {
    private static final int MAGIC = 0x464c457f; // 7f 'E' 'L' 'F'
    private static final int CLASS_64_LITTLE_ENDIAN = 0x0102;
    private static final int TYPE_SHARED = 3;
    private static final int HEAD_BYTES = 64;
    private static final int SECTION_HEADS_AT = 0x28;
    private static final int SECTION_BYTES = 64;
    private static final int SECTION_DYNAMIC = 6;
    private static final int SECTION_DYNAMIC_SYMBOLS = 11;
    private static final int SYMBOL_BYTES = 24;
    private static final int DYNAMIC_BYTES = 16;
    private static final int DT_NEEDED = 1;
    private static final int MOST_NAME_BYTES = 4096;

    public ElfLibrary {
        exports = Set.copyOf(exports);
        needs = List.copyOf(needs);
    }

    /** Reads a library. @throws IOException when it cannot be read, is no 64-bit shared library, or is damaged */
    public static ElfLibrary read(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            if (channel.size() < HEAD_BYTES || channel.size() > Integer.MAX_VALUE) {
                throw new IOException(file + " is no shared library: it has " + channel.size() + " bytes");
            }
            ByteBuffer elf = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size())
                    .order(ByteOrder.LITTLE_ENDIAN);
            if (elf.getInt(0) != MAGIC || elf.getShort(4) != CLASS_64_LITTLE_ENDIAN) {
                throw new IOException(file + " is no 64-bit ELF file");
            }
            if (elf.getShort(16) != TYPE_SHARED) {
                throw new IOException(file + " is an ELF file, but no shared library");
            }
            return read(elf);
        } catch (IndexOutOfBoundsException | BufferUnderflowException | ArithmeticException e) {
            throw new IOException(file + " is a damaged ELF file", e);
        }
    }

    private static ElfLibrary read(ByteBuffer elf) {
        int sections = Math.toIntExact(elf.getLong(SECTION_HEADS_AT));
        int count = Short.toUnsignedInt(elf.getShort(0x3c));
        Set<String> exports = new TreeSet<>();
        List<String> needs = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int section = sections + i * SECTION_BYTES;
            int type = elf.getInt(section + 4);
            if (type != SECTION_DYNAMIC && type != SECTION_DYNAMIC_SYMBOLS) {
                continue;
            }
            int strings = sections + elf.getInt(section + 0x28) * SECTION_BYTES;
            int text = Math.toIntExact(elf.getLong(strings + 0x18));
            int at = Math.toIntExact(elf.getLong(section + 0x18));
            int end = Math.addExact(at, Math.toIntExact(elf.getLong(section + 0x20)));
            if (type == SECTION_DYNAMIC_SYMBOLS) {
                for (; at + SYMBOL_BYTES <= end; at += SYMBOL_BYTES) {
                    boolean defined = elf.getShort(at + 6) != 0;
                    if (defined) {
                        exports.add(text(elf, Math.addExact(text, elf.getInt(at))));
                    }
                }
            } else {
                for (; at + DYNAMIC_BYTES <= end; at += DYNAMIC_BYTES) {
                    if (elf.getLong(at) == DT_NEEDED) {
                        needs.add(text(elf, Math.addExact(text, Math.toIntExact(elf.getLong(at + 8)))));
                    }
                }
            }
        }
        return new ElfLibrary(Short.toUnsignedInt(elf.getShort(18)), exports, needs);
    }

    private static String text(ByteBuffer elf, int at) {
        int end = at;
        while (elf.get(end) != 0) {
            end++;
            if (end - at > MOST_NAME_BYTES) {
                throw new IndexOutOfBoundsException("a name without an end");
            }
        }
        byte[] bytes = new byte[end - at];
        elf.get(at, bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
