package org.sluice.cli.common;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.sluice.BootstrapFormat;
import org.sluice.Striping;
import org.sluice.UnpackMode;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** How values on the command line and in the environment are written. */
public final class Values {
    private Values() {}

    private static final Map<String, Integer> UNIT_SHIFT =
            Map.of("", 0, "b", 0, "kib", 10, "mib", 20, "gib", 30, "tib", 40);
    private static final Pattern SIZE = Pattern.compile("(\\d{1,18}) ?([a-z]*)");
    private static final Map<String, Double> UNIT_SECONDS =
            Map.of("us", 1e-6, "ms", 1e-3, "s", 1.0, "m", 60.0, "h", 3600.0);
    private static final Pattern DURATION = Pattern.compile("(\\d{1,9}(?:\\.\\d{1,9})?) ?(us|ms|s|m|h)");

    /** {@code 65536}, {@code 512KiB}, {@code 64MiB}, {@code 1GiB}. */
    public static final class Size implements ITypeConverter<Long> {
        @Override
        public Long convert(String text) {
            Matcher m = SIZE.matcher(text.strip().toLowerCase(Locale.ROOT));
            Integer shift = m.matches() ? UNIT_SHIFT.get(m.group(2)) : null;
            if (shift == null) {
                throw new TypeConversionException("'" + text + "' is not a size; write bytes, or 512KiB, 64MiB, 1GiB");
            }
            long count = Long.parseLong(m.group(1));
            if (count > Long.MAX_VALUE >> shift) {
                throw new TypeConversionException("'" + text + "' is more than 2^63 - 1 bytes");
            }
            return count << shift;
        }
    }

    /** {@code 3s}, {@code 500ms}, {@code 2m}, {@code 1.5h}. */
    public static final class Time implements ITypeConverter<Duration> {
        @Override
        public Duration convert(String text) {
            Matcher m = DURATION.matcher(text.strip().toLowerCase(Locale.ROOT));
            if (!m.matches()) {
                throw new TypeConversionException("'" + text + "' is not a time; write 20us, 500ms, 3s, 2m or 1h");
            }
            double seconds = Double.parseDouble(m.group(1)) * UNIT_SECONDS.getOrDefault(m.group(2), 1.0);
            return Duration.ofNanos(Math.round(seconds * 1e9));
        }
    }

    /** A file's name, which some locales cannot tell. */
    public static Path path(String text) {
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw new TypeConversionException("'" + text + "' is no file name in this locale; set LC_ALL=C.UTF-8");
        }
    }

    /** Without a unit. */
    public static Integer wholeNumber(String text) {
        try {
            return Integer.valueOf(text.strip());
        } catch (NumberFormatException e) {
            throw new TypeConversionException("'" + text + "' is not a whole number");
        }
    }

    public static final class StripingRule implements ITypeConverter<Striping> {
        @Override
        public Striping convert(String text) {
            return oneOf(Striping.class, text);
        }
    }

    public static final class Format implements ITypeConverter<BootstrapFormat> {
        @Override
        public BootstrapFormat convert(String text) {
            return oneOf(BootstrapFormat.class, text);
        }
    }

    public static final class Unpack implements ITypeConverter<UnpackMode> {
        @Override
        public UnpackMode convert(String text) {
            return oneOf(UnpackMode.class, text);
        }
    }

    /** An enum constant as users write it: {@code ROUND_ROBIN} is {@code round-robin}. */
    public static String text(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** The constant that a user wrote. @throws TypeConversionException when there is none of that name, with all of them */
    public static <E extends Enum<E>> E oneOf(Class<E> type, String text) {
        StringBuilder all = new StringBuilder();
        for (E e : type.getEnumConstants()) {
            if (text(e).equals(text.strip().toLowerCase(Locale.ROOT).replace('_', '-'))) {
                return e;
            }
            all.append(all.isEmpty() ? "" : ", ").append(text(e));
        }
        throw new TypeConversionException("'" + text + "' is none of " + all);
    }
}
