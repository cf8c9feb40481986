package org.sluice.cli.common;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class JsonTest {
    private record Inner(int n) {}

    private record Outer(String text, @Nullable Long none, double rate, List<Inner> list, List<Inner> empty) {}

    @Test
    void recordsInTheirOrder() {
        assertThat(Json.of(
                        new Outer("a\"\\\n\u0001", null, Double.NaN, List.of(new Inner(1), new Inner(2)), List.of())))
                .isEqualToIgnoringWhitespace("{\"text\": \"a\\\"\\\\\\n\\u0001\", \"none\": null, \"rate\": null,"
                        + "\"list\": [{\"n\": 1}, {\"n\": 2}], \"empty\": []}");
    }
}
