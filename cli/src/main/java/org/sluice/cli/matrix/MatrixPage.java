package org.sluice.cli.matrix;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import org.sluice.cli.common.Json;

/** The heat map: one self-contained file that draws the result which stands in it. */
final class MatrixPage {
    private static final String PLACE = "@MATRIX@";

    private MatrixPage() {}

    static String of(MatrixReport report) {
        // a string in it could end the script element that it stands in
        String json = Json.of(report).strip().replace("</", "<\\/").replace("<!--", "<\\u0021--");
        return template().replace(PLACE, json);
    }

    private static String template() {
        try (InputStream in = MatrixPage.class.getResourceAsStream("page.html")) {
            if (in == null) {
                throw new IllegalStateException("page.html is missing from this build");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
