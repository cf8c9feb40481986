package org.sluice.spi;

import java.util.Map;

/**
 * What somebody below the transport, the kernel above all, says of one connection of a channel: names and whole numbers, since
 * transports know different things. A name that ends in {@code _total} counts from the connection's beginning.
 *
 * @param name both ends, as in {@link Channel#description()}
 * @param values by name; the names below are common to all transports that know them
 */
public record ConnectionFacts(String name, Map<String, Long> values) {
    /** Smoothed round trip, microseconds. */
    public static final String RTT_MICROS = "rtt_microseconds";

    /** What may be under way unacknowledged, bytes. */
    public static final String CONGESTION_WINDOW = "congestion_window_bytes";

    /** Recent rate at which bytes were acknowledged, bytes per second. */
    public static final String DELIVERY_RATE = "delivery_rate_bytes_per_second";

    /** Segments sent, those sent again included. */
    public static final String SEGMENTS_SENT = "segments_sent_total";

    /** Payload sent again, bytes. */
    public static final String BYTES_RETRANSMITTED = "retransmitted_bytes_total";

    /** Payload of a full segment, as the two ends and the path allow it. */
    public static final String SEGMENT_BYTES = "segment_bytes";

    /** Segments sent again. */
    public static final String SEGMENTS_RETRANSMITTED = "segments_retransmitted_total";

    public ConnectionFacts {
        values = Map.copyOf(values);
    }

    /** A value, or 0 where the transport does not know it. */
    public long value(String of) {
        return values.getOrDefault(of, 0L);
    }
}
