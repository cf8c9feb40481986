package org.sluice.cli.common;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

class ValuesTest {
    @ParameterizedTest
    @CsvSource({"0,0", "4096,4096", "512KiB,524288", "64mib,67108864", "1GiB,1073741824", "5 GiB,5368709120", "1B,1"})
    void sizes(String text, long bytes) {
        assertThat(new Values.Size().convert(text)).isEqualTo(bytes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "-1", "1.5GiB", "64MB", "MiB", "9000000000TiB", "99999999999999999999"})
    void notSizes(String text) {
        assertThatThrownBy(() -> new Values.Size().convert(text)).isInstanceOf(TypeConversionException.class);
    }

    @ParameterizedTest
    @CsvSource({"500ms,500", "3s,3000", "2m,120000", "1.5h,5400000", "0s,0"})
    void durations(String text, long millis) {
        assertThat(new Values.Time().convert(text)).isEqualTo(Duration.ofMillis(millis));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "3", "-1s", "s", "3 days"})
    void notDurations(String text) {
        assertThatThrownBy(() -> new Values.Time().convert(text)).isInstanceOf(TypeConversionException.class);
    }
}
