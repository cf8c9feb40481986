package org.sluice.cli.common;

import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** {@code 1.5GB/s}, {@code 400Gbit}, {@code 800Mbit/s}: in 10^9 bytes a second. */
public final class Rate implements ITypeConverter<Double> {
    private static final Pattern FORM = Pattern.compile("(\\d{1,9}(?:\\.\\d{1,9})?) ?(gb|mb|gbit|mbit)(?:/s|ps)?");
    private static final Map<String, Double> UNIT = Map.of("gb", 1.0, "mb", 1e-3, "gbit", 1 / 8.0, "mbit", 1 / 8e3);

    @Override
    public Double convert(String text) {
        Matcher m = FORM.matcher(text.strip().toLowerCase(Locale.ROOT));
        if (!m.matches()) {
            throw new TypeConversionException("'" + text + "' is no rate; write 1.5GB/s, 800MB/s or 400Gbit");
        }
        return Double.parseDouble(m.group(1)) * UNIT.getOrDefault(m.group(2), 1.0);
    }
}
