package org.sluice.cli.watch;

import org.sluice.ChannelConnections;
import org.sluice.spi.ConnectionFacts;

/** What is below the transport, added up. @param segment payload of the smallest full segment; 0 where nobody tells */
record Wire(long segments, long segmentsAgain, long bytesAgain, long rttSum, int connections, int segment) {
    static final Wire NONE = new Wire(0, 0, 0, 0, 0, 0);

    static Wire of(ChannelConnections channel) {
        Wire sum = NONE;
        for (ConnectionFacts f : channel.connections()) {
            sum = sum.plus(new Wire(
                    f.value(ConnectionFacts.SEGMENTS_SENT),
                    f.value(ConnectionFacts.SEGMENTS_RETRANSMITTED),
                    f.value(ConnectionFacts.BYTES_RETRANSMITTED),
                    f.value(ConnectionFacts.RTT_MICROS),
                    1,
                    (int) f.value(ConnectionFacts.SEGMENT_BYTES)));
        }
        return sum;
    }

    Wire plus(Wire other) {
        return new Wire(
                segments + other.segments,
                segmentsAgain + other.segmentsAgain,
                bytesAgain + other.bytesAgain,
                rttSum + other.rttSum,
                connections + other.connections,
                segment == 0 ? other.segment : other.segment == 0 ? segment : Math.min(segment, other.segment));
    }

    double rttMicros() {
        return connections == 0 ? 0 : Painter.round((double) rttSum / connections);
    }
}
