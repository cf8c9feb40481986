package org.sluice.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the kernel counted for a network device since it was made: {@code /proc/net/dev}, which shows the network namespace of
 * this process and takes one read for all devices (some 30 us). {@code rxDrops} counts what the kernel's {@code rx_dropped} and
 * {@code rx_missed_errors} count together.
 */
public record NetCounters(
        long rxBytes,
        long rxPackets,
        long rxErrors,
        long rxDrops,
        long txBytes,
        long txPackets,
        long txErrors,
        long txDrops) {
    private static final Path FILE = Path.of("/proc/net/dev");

    /** Two lines of heading, as net/core/net-procfs.c prints them. */
    private static final int HEADING_LINES = 2;

    /** Fields of a line: eight received, eight sent, of each the first four are bytes, packets, errors, drops. */
    private static final int FIELDS = 16;

    /** Of every device, by name, in the kernel's order. @throws IOException when procfs is not there */
    public static Map<String, NetCounters> readAll() throws IOException {
        return parse(Files.readAllLines(FILE));
    }

    static Map<String, NetCounters> parse(List<String> lines) throws IOException {
        Map<String, NetCounters> all = new LinkedHashMap<>();
        for (String line : lines.subList(Math.min(HEADING_LINES, lines.size()), lines.size())) {
            int colon = line.indexOf(':');
            String[] fields = line.substring(colon + 1).strip().split(" +", -1);
            if (colon < 0 || fields.length < FIELDS) {
                throw new IOException(FILE + " has a line in an unknown form: " + line);
            }
            long[] v = new long[FIELDS];
            for (int i = 0; i < FIELDS; i++) {
                v[i] = Long.parseUnsignedLong(fields[i]);
            }
            all.put(
                    line.substring(0, colon).strip(),
                    new NetCounters(v[0], v[1], v[2], v[3], v[8], v[9], v[10], v[11]));
        }
        return all;
    }

    /** What was counted since {@code earlier}. */
    public NetCounters minus(NetCounters earlier) {
        return new NetCounters(
                rxBytes - earlier.rxBytes,
                rxPackets - earlier.rxPackets,
                rxErrors - earlier.rxErrors,
                rxDrops - earlier.rxDrops,
                txBytes - earlier.txBytes,
                txPackets - earlier.txPackets,
                txErrors - earlier.txErrors,
                txDrops - earlier.txDrops);
    }
}
