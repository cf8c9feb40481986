package org.sluice.tcp;

import java.util.Map;
import org.sluice.linux.TcpInfo;
import org.sluice.spi.ConnectionFacts;

/** The kernel's {@code TCP_INFO} in the words of the SPI. */
final class KernelFacts {
    private KernelFacts() {}

    static ConnectionFacts of(String connection, TcpInfo tcp) {
        long mss = Math.max(1, tcp.sendMss());
        return new ConnectionFacts(
                connection,
                Map.of(
                        ConnectionFacts.RTT_MICROS,
                        tcp.rttNanos() / 1000,
                        ConnectionFacts.CONGESTION_WINDOW,
                        tcp.congestionWindow() * mss,
                        ConnectionFacts.DELIVERY_RATE,
                        tcp.deliveryRate(),
                        // the kernel counts segments with and without data alike: bytes over the segment size do not
                        ConnectionFacts.SEGMENTS_SENT,
                        (tcp.bytesSent() + mss - 1) / mss,
                        ConnectionFacts.SEGMENTS_RETRANSMITTED,
                        tcp.totalRetransmits(),
                        ConnectionFacts.BYTES_RETRANSMITTED,
                        tcp.bytesRetransmitted(),
                        ConnectionFacts.SEGMENT_BYTES,
                        (long) tcp.sendMss(),
                        "busy_microseconds_total",
                        tcp.busyNanos() / 1000,
                        "receiver_limited_microseconds_total",
                        tcp.receiverLimitedNanos() / 1000,
                        "buffer_limited_microseconds_total",
                        tcp.bufferLimitedNanos() / 1000));
    }
}
