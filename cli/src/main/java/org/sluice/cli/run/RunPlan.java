package org.sluice.cli.run;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.sluice.ConfigException;
import org.sluice.ProtocolException;

/**
 * What is run once the links are up. The client decides and tells the server in the note of its offer.
 *
 * @param size bytes per GPU, direction and iteration
 * @param iters iterations; 0 for as many as fit into the duration
 * @param duration when to start no further iteration; zero for no limit
 * @param verify whether every received byte is compared with what was to be sent
 * @param bidirectional whether the server's GPUs send as well
 */
public record RunPlan(long size, long iters, Duration duration, boolean verify, boolean bidirectional) {
    public static final long DEFAULT_SIZE = 64L << 20;
    public static final long DEFAULT_ITERS = 20;

    /** First word of the note: its format and version. */
    private static final String FORMAT = "sluice-run/1";

    public RunPlan {
        if (size < 0 || iters < 0 || duration.isNegative()) {
            throw new ConfigException("size " + size + ", iterations " + iters + " and duration " + duration.toMillis()
                    + " ms must not be negative");
        }
        if (iters == 0 && duration.isZero()) {
            throw new ConfigException("0 iterations would move nothing; give --iters or --duration");
        }
    }

    public byte[] note() {
        return String.join(
                        " ",
                        FORMAT,
                        Long.toString(size),
                        Long.toString(iters),
                        Long.toString(duration.toNanos()),
                        Boolean.toString(verify),
                        Boolean.toString(bidirectional))
                .getBytes(StandardCharsets.UTF_8);
    }

    /** @throws ProtocolException when the note is none of {@link #note}'s */
    static RunPlan parse(byte[] note, String peer) {
        String[] words = new String(note, StandardCharsets.UTF_8).split(" ", -1);
        if (words.length != 6 || !words[0].equals(FORMAT)) {
            throw new ProtocolException("the client " + peer + " does not say what to run (" + FORMAT
                    + "); give both sides the same version of sluice");
        }
        try {
            return new RunPlan(
                    Long.parseLong(words[1]),
                    Long.parseLong(words[2]),
                    Duration.ofNanos(Long.parseLong(words[3])),
                    Boolean.parseBoolean(words[4]),
                    Boolean.parseBoolean(words[5]));
        } catch (NumberFormatException | ConfigException e) {
            throw new ProtocolException("the client " + peer + " says what to run in an unknown form", e);
        }
    }

    /** Bytes that all GPUs together move in one iteration; the most that there are where it is beyond them. */
    long bytesPerIteration(int gpus) {
        int parts = gpus * (bidirectional ? 2 : 1);
        return size > Long.MAX_VALUE / parts ? Long.MAX_VALUE : size * parts;
    }
}
