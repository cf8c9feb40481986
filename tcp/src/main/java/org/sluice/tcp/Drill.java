package org.sluice.tcp;

import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.sluice.spi.TransportException;

/**
 * Faults on purpose, for soak runs and tests, where the real thing would need cables to be pulled: a sending connection is reset
 * in the middle of a chunk, stands still in the middle of one and goes on later, or sends one with a wrong checksum.
 *
 * @param chunks for each fault, the mean number of chunks of a connection from one to the next; none for never
 */
record Drill(Map<Fault, Integer> chunks) {
    /** What can be made to happen. */
    enum Fault {
        RESET,
        STALL,
        DAMAGE
    }

    static final Drill NONE = new Drill(Map.of());

    /**
     * A thread that gets no CPU. With a stall timeout below an eighth of it the receiver gives the channel up meanwhile, and the rest
     * of the chunk comes too late.
     */
    static final long STALL_NANOS = TimeUnit.MILLISECONDS.toNanos(700);

    /** @param text {@code reset:1000,stall:5000,damage:500}, any of them; empty for none */
    static Drill of(String text) throws TransportException {
        Map<Fault, Integer> chunks = new HashMap<>();
        for (String part : text.isEmpty() ? new String[0] : text.split(",", -1)) {
            String[] pair = part.split(":", -1);
            try {
                int mean = Integer.parseInt(pair[1]);
                if (pair.length == 2 && mean >= 1 && pair[0].equals(pair[0].toLowerCase(java.util.Locale.ROOT))) {
                    chunks.put(Fault.valueOf(pair[0].toUpperCase(java.util.Locale.ROOT)), mean);
                    continue;
                }
            } catch (IllegalArgumentException | ArrayIndexOutOfBoundsException e) {
                // said below
            }
            throw new TransportException(
                    "option drill of transport tcp has " + part
                            + "; it may have reset, stall and damage, each with a mean number of chunks: reset:1000,stall:5000");
        }
        return new Drill(Map.copyOf(chunks));
    }

    /** The faults of one connection; belongs to its I/O thread. */
    final class Lot {
        private final SplittableRandom random = new SplittableRandom();
        private boolean resets;

        private boolean falls(Fault fault) {
            Integer mean = chunks.get(fault);
            return mean != null && random.nextInt(mean) == 0;
        }

        /** Whether the next chunk is to have a wrong checksum. */
        boolean damages() {
            return falls(Fault.DAMAGE);
        }

        /** Whether the next chunk is to stop half way, and there be {@linkplain #resets() reset} or stand still. */
        boolean stops() {
            resets = falls(Fault.RESET);
            return resets || falls(Fault.STALL);
        }

        boolean resets() {
            return resets;
        }
    }
}
