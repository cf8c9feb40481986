package org.sluice.ncclnet;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.sluice.spi.TransportConfig;
import org.sluice.spi.TransportException;

/** A named set of environment variables for a kind of machine. What the user set himself stays. */
interface Profile {
    /**
     * A variable that the machine's plugin needs.
     *
     * @param why in a few words, for the log
     */
    record Variable(String name, String value, String why) {}

    String name();

    /** Where the machine's images keep the plugin. */
    String plugin();

    /** The variables, for the NICs, the chunk size and the sockets that were asked for. */
    List<Variable> environment(TransportConfig config);

    /** @throws TransportException naming those that there are */
    static Profile named(String name) throws TransportException {
        List<Profile> all = List.of(new A3HighProfile(), new A3MegaProfile());
        return all.stream()
                .filter(p -> p.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new TransportException("there is no profile " + name + "; there are "
                        + String.join(", ", all.stream().map(Profile::name).toList())));
    }

    /** The first of several places where there is a file, or else the first: images of one machine differ. */
    static String firstThere(String... places) {
        return Arrays.stream(places)
                .filter(p -> Files.isRegularFile(Path.of(p)))
                .findFirst()
                .orElse(places[0]);
    }
}
