package org.sluice.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a network device's driver tells through {@code SIOCETHTOOL}: statistics of its own, link settings, offloads. Layouts and
 * numbers are those of {@code <linux/ethtool.h>}. Needs no rights. Any thread may call it.
 */
public final class Ethtool {
    private static final int GDRVINFO = 0x3;
    private static final int GRXCSUM = 0x14;
    private static final int GTXCSUM = 0x16;
    private static final int GSG = 0x18;
    private static final int GSTRINGS = 0x1b;
    private static final int GSTATS = 0x1d;
    private static final int GTSO = 0x1e;
    private static final int GGSO = 0x23;
    private static final int GGRO = 0x2b;
    private static final int GLINKSETTINGS = 0x4c;

    private static final int SS_STATS = 1;
    private static final int STRING_BYTES = 32;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;

    // struct ethtool_drvinfo: cmd, five strings of 32, 12 reserved, then n_priv_flags and n_stats
    private static final int DRIVER_INFO_BYTES = 196;
    private static final int DRIVER_NAME = 4;
    private static final int DRIVER_STATS = 180;

    // struct ethtool_gstrings {cmd, string_set, len, data}; struct ethtool_stats {cmd, n_stats, data}
    private static final int STRINGS_HEAD = 12;
    private static final int STATS_HEAD = 8;

    // struct ethtool_link_settings: 48 bytes, then three bitmaps of link_mode_masks_nwords words
    private static final int LINK_BYTES = 48;
    private static final int LINK_SPEED = 4;
    private static final int LINK_DUPLEX = 8;
    private static final int LINK_WORDS = 15;
    private static final int SPEED_UNKNOWN = -1;
    private static final int DUPLEX_FULL = 1;
    private static final long MEGABIT = 1_000_000;

    /** @param bitsPerSecond 0 where unknown @param fullDuplex false also where unknown */
    public record Link(long bitsPerSecond, boolean fullDuplex) {}

    /**
     * Work the kernel need not do per packet. What a driver does not have reads as off.
     *
     * @param tso TCP segmentation by the device
     * @param gso segmentation as late as possible, in software
     * @param gro received packets merged before the stack sees them
     * @param scatterGather packets of several pieces of memory, which zero-copy sends need
     */
    public record Offloads(
            boolean rxChecksum, boolean txChecksum, boolean scatterGather, boolean tso, boolean gso, boolean gro) {}

    private Ethtool() {}

    /**
     * The driver's own counters, in its order; often per queue. Empty where it has none.
     *
     * @throws LinuxException when there is no such device
     */
    public static Map<String, Long> statistics(String device) throws LinuxException {
        try (DeviceControl control = new DeviceControl();
                Arena arena = Arena.ofConfined()) {
            MemorySegment info = command(arena, DRIVER_INFO_BYTES, GDRVINFO);
            int count = control.ethtool(device, info) ? info.get(INT, DRIVER_STATS) : 0;
            MemorySegment names = command(arena, STRINGS_HEAD + (long) count * STRING_BYTES, GSTRINGS);
            names.set(INT, 4, SS_STATS);
            names.set(INT, 8, count);
            MemorySegment values = command(arena, STATS_HEAD + (long) count * Long.BYTES, GSTATS);
            values.set(INT, 4, count);
            if (count == 0 || !control.ethtool(device, names) || !control.ethtool(device, values)) {
                return Map.of();
            }
            // a queue that was added meanwhile must not make us read past what was given
            int told = Math.min(count, Math.min(names.get(INT, 8), values.get(INT, 4)));
            Map<String, Long> statistics = new LinkedHashMap<>();
            for (int i = 0; i < told; i++) {
                String name = text(names, STRINGS_HEAD + (long) i * STRING_BYTES);
                statistics.put(name, values.get(ValueLayout.JAVA_LONG_UNALIGNED, STATS_HEAD + (long) i * Long.BYTES));
            }
            return statistics;
        }
    }

    /** The driver's name; null where it does not say. */
    public static @Nullable String driver(String device) throws LinuxException {
        try (DeviceControl control = new DeviceControl()) {
            return driver(control, device);
        }
    }

    static @Nullable String driver(DeviceControl control, String device) throws LinuxException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment info = command(arena, DRIVER_INFO_BYTES, GDRVINFO);
            String name = control.ethtool(device, info) ? text(info, DRIVER_NAME) : "";
            return name.isEmpty() ? null : name;
        }
    }

    /** Speed and duplex. */
    public static Link link(String device) throws LinuxException {
        try (DeviceControl control = new DeviceControl();
                Arena arena = Arena.ofConfined()) {
            // asked with no words of bitmaps, the kernel answers how many it has, negated, and nothing else
            MemorySegment ask = command(arena, LINK_BYTES, GLINKSETTINGS);
            int words = control.ethtool(device, ask) ? -ask.get(ValueLayout.JAVA_BYTE, LINK_WORDS) : 0;
            MemorySegment link = command(arena, LINK_BYTES + 3L * Integer.BYTES * Math.max(0, words), GLINKSETTINGS);
            link.set(ValueLayout.JAVA_BYTE, LINK_WORDS, (byte) words);
            if (words <= 0 || !control.ethtool(device, link)) {
                return new Link(0, false);
            }
            int megabits = link.get(INT, LINK_SPEED);
            return new Link(
                    megabits == SPEED_UNKNOWN ? 0 : Integer.toUnsignedLong(megabits) * MEGABIT,
                    link.get(ValueLayout.JAVA_BYTE, LINK_DUPLEX) == DUPLEX_FULL);
        }
    }

    /** Which offloads are on. */
    public static Offloads offloads(String device) throws LinuxException {
        try (DeviceControl control = new DeviceControl()) {
            return new Offloads(
                    isOn(control, device, GRXCSUM),
                    isOn(control, device, GTXCSUM),
                    isOn(control, device, GSG),
                    isOn(control, device, GTSO),
                    isOn(control, device, GGSO),
                    isOn(control, device, GGRO));
        }
    }

    private static boolean isOn(DeviceControl control, String device, int code) throws LinuxException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = command(arena, 8, code);
            return control.ethtool(device, value) && value.get(INT, 4) != 0;
        }
    }

    private static MemorySegment command(Arena arena, long bytes, int code) {
        MemorySegment command = arena.allocate(bytes, Long.BYTES);
        command.set(INT, 0, code);
        return command;
    }

    /** A string of at most 32 bytes that ends with a zero or with its field. */
    private static String text(MemorySegment from, long offset) {
        int length = 0;
        while (length < STRING_BYTES && from.get(ValueLayout.JAVA_BYTE, offset + length) != 0) {
            length++;
        }
        byte[] bytes = from.asSlice(offset, length).toArray(ValueLayout.JAVA_BYTE);
        return new String(bytes, StandardCharsets.US_ASCII).strip();
    }
}
