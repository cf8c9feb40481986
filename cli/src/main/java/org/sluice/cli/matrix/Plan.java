package org.sluice.cli.matrix;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.sluice.ConfigException;
import org.sluice.ProtocolException;

/**
 * What rank 0 was told to measure; it tells all others.
 *
 * @param time of each direction of each pair
 * @param size of the memory that is read, and of that which is read into, bytes for each GPU
 * @param gpus of each node
 * @param all whether all pairs are loaded at once in the end
 */
record Plan(Duration time, long size, int gpus, boolean all) {
    static final long LEAST_SIZE = 256 << 10;
    private static final long MOST_SIZE = 64L << 30;
    private static final String FORM = "sluice-matrix/1";

    Plan {
        if (time.toMillis() < 10 || time.toHours() > 0) {
            throw new ConfigException("--time is " + time.toMillis() + " ms, it may be 10ms to 1h");
        }
        if (size < LEAST_SIZE || size > MOST_SIZE || size % 4096 != 0) {
            throw new ConfigException("--size is " + size + ", it may be 256KiB to 64GiB, in steps of 4KiB");
        }
    }

    byte[] encode() {
        return (FORM + " " + time.toMillis() + " " + size + " " + gpus + " " + all).getBytes(StandardCharsets.UTF_8);
    }

    /** @throws ProtocolException when rank 0 is no matrix of this version */
    static Plan decode(byte[] said) {
        String[] words = new String(said, StandardCharsets.UTF_8).split(" ", -1);
        try {
            if (words.length == 5 && words[0].equals(FORM)) {
                return new Plan(
                        Duration.ofMillis(Long.parseLong(words[1])),
                        Long.parseLong(words[2]),
                        Integer.parseInt(words[3]),
                        Boolean.parseBoolean(words[4]));
            }
        } catch (NumberFormatException e) {
            // said below
        }
        throw new ProtocolException("rank 0 is no 'sluice matrix' of this version");
    }

    /** How long a direction may take in all: until it is warm, what is measured, and what is still under way then. */
    Duration atMost() {
        return time.multipliedBy(3).plusSeconds(30);
    }
}
