package org.sluice.cli.watch;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** The page that draws a picture: one self-contained file. With no picture in it, it asks its server for one every second. */
final class Page {
    private static final String PLACE = "@PICTURE@";

    private Page() {}

    static String of(String json) {
        // a string in it could end the script element it stands in
        return template().replace(PLACE, json.strip().replace("</", "<\\/").replace("<!--", "<\\u0021--"));
    }

    static String live() {
        return template().replace(PLACE, "null");
    }

    private static String template() {
        try (InputStream in = Page.class.getResourceAsStream("page.html")) {
            if (in == null) {
                throw new IllegalStateException("page.html is missing from this build");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
