package org.sluice.cli.common;

import java.util.Locale;

/** Numbers of bytes as people read them. */
public final class Bytes {
    private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

    private Bytes() {}

    /** In the largest binary unit that is not below one: {@code 512 KiB}, {@code 1.5 GiB}. */
    public static String text(long bytes) {
        int unit = 0;
        double value = bytes;
        while (value >= 1024 && unit < UNITS.length - 1) {
            value /= 1024;
            unit++;
        }
        String number =
                value == Math.rint(value) ? Long.toString((long) value) : String.format(Locale.ROOT, "%.2f", value);
        return number + " " + UNITS[unit];
    }
}
