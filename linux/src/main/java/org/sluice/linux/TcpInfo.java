package org.sluice.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * The kernel's view of a TCP connection: {@code struct tcp_info} of {@code <linux/tcp.h>}, whose field names are in brackets. A
 * kernel that is older than a field reports it as 0. Times are nanoseconds, from the kernel's microseconds.
 *
 * @param rttNanos smoothed round trip time [rtt]
 * @param rttVarianceNanos its mean deviation [rttvar]
 * @param minRttNanos the least that was seen lately [min_rtt]
 * @param sendMss bytes of payload in a full segment that is sent [snd_mss]: the smaller of the peer's and the path's
 * @param receiveMss bytes of the largest segment that came lately [rcv_mss]
 * @param advertisedMss bytes that this side told the peer it takes [advmss]
 * @param pathMtu [pmtu]
 * @param congestionWindow segments that may be under way [snd_cwnd]
 * @param retransmits tries of the segment that is being repeated now, each after a longer time [retransmits]
 * @param probes questions for a window to send into, not answered yet [probes]
 * @param backoff how often the time for an answer was doubled [backoff]
 * @param retransmitTimeoutNanos the time for an answer, doubled so often [rto]
 * @param unacked segments under way, not confirmed [unacked]
 * @param sinceSentNanos time since payload was put on the wire last, repeats included [last_data_sent]
 * @param sinceAnswerNanos time since the peer's kernel answered last [last_ack_recv]
 * @param totalRetransmits segments sent again since the connection began [total_retrans]
 * @param lost segments that count as lost now [lost]
 * @param bytesAcked payload that the peer has confirmed [bytes_acked]
 * @param bytesReceived payload that has come [bytes_received]
 * @param bytesSent payload sent, repeats included [bytes_sent]
 * @param bytesRetransmitted payload sent again [bytes_retrans]
 * @param notSentBytes payload that waits in the socket [notsent_bytes]
 * @param deliveryRate bytes per second that lately reached the peer [delivery_rate]
 * @param busyNanos time with something to send [busy_time]
 * @param receiverLimitedNanos of that, waiting for the peer's window [rwnd_limited]
 * @param bufferLimitedNanos of that, waiting for a larger send buffer [sndbuf_limited]
 */
public record TcpInfo(
        long rttNanos,
        long rttVarianceNanos,
        long minRttNanos,
        int sendMss,
        int receiveMss,
        int advertisedMss,
        int pathMtu,
        long congestionWindow,
        int retransmits,
        int probes,
        int backoff,
        long retransmitTimeoutNanos,
        long unacked,
        long sinceSentNanos,
        long sinceAnswerNanos,
        long totalRetransmits,
        long lost,
        long bytesAcked,
        long bytesReceived,
        long bytesSent,
        long bytesRetransmitted,
        long notSentBytes,
        long deliveryRate,
        long busyNanos,
        long receiverLimitedNanos,
        long bufferLimitedNanos) {
    private static final int IPPROTO_TCP = 6;
    private static final int TCP_INFO = 11;

    /** More than any kernel has of it; the rest stays 0. */
    private static final int STRUCT_BYTES = 512;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final MethodHandle GETSOCKOPT = Libc.withErrno(
            "getsockopt", FunctionDescriptor.of(INT, INT, INT, INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS));

    /** Asks the kernel. @param fd descriptor of a TCP socket, which must stay open for the call */
    public static TcpInfo of(int fd) throws LinuxException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment callState = arena.allocate(Libc.CALL_STATE);
            MemorySegment s = arena.allocate(STRUCT_BYTES, 8);
            MemorySegment length = arena.allocateFrom(INT, STRUCT_BYTES);
            int rc;
            try {
                rc = (int) GETSOCKOPT.invokeExact(callState, fd, IPPROTO_TCP, TCP_INFO, s, length);
            } catch (Throwable e) {
                throw new AssertionError(e);
            }
            if (rc < 0) {
                throw new LinuxException("TCP_INFO of descriptor " + fd, Libc.errno(callState));
            }
            return read(s);
        }
    }

    /** Offsets in {@code struct tcp_info}: 8 bytes, 24 u32 to total_retrans, then mixed and naturally aligned. */
    private static TcpInfo read(MemorySegment s) {
        return new TcpInfo(
                micros(s, 68),
                micros(s, 72),
                micros(s, 148),
                s.get(INT, 16),
                s.get(INT, 20),
                s.get(INT, 84),
                s.get(INT, 60),
                u32(s, 80),
                u8(s, 2),
                u8(s, 3),
                u8(s, 4),
                micros(s, 8),
                u32(s, 24),
                u32(s, 44) * 1_000_000,
                u32(s, 56) * 1_000_000,
                u32(s, 100),
                u32(s, 32),
                u64(s, 120),
                u64(s, 128),
                u64(s, 200),
                u64(s, 208),
                u32(s, 144),
                u64(s, 160),
                u64(s, 168) * 1000,
                u64(s, 176) * 1000,
                u64(s, 184) * 1000);
    }

    /**
     * For how long the peer's kernel has left unanswered what this one put on the wire; 0 until this kernel itself has missed an
     * answer, which is after 200 ms at the least. A peer whose threads do not read answers all the same: the kernel does it for them.
     */
    public long unansweredNanos() {
        if (unacked > 0 && retransmits > 0) {
            // the first try and its repeats waited t, 2t, 4t...: (2^retransmits - 1) t in all, and the time
            // since the last
            long first = retransmitTimeoutNanos >> backoff;
            return Math.min(sinceAnswerNanos, (first << Math.min(backoff, retransmits)) - first + sinceSentNanos);
        }
        // into a closed window only questions are sent; the first may have gone out just now, the second waited for it
        return probes > 1 ? sinceAnswerNanos : 0;
    }

    private static int u8(MemorySegment s, long offset) {
        return Byte.toUnsignedInt(s.get(ValueLayout.JAVA_BYTE, offset));
    }

    private static long u32(MemorySegment s, long offset) {
        return Integer.toUnsignedLong(s.get(INT, offset));
    }

    private static long u64(MemorySegment s, long offset) {
        return s.get(ValueLayout.JAVA_LONG, offset);
    }

    private static long micros(MemorySegment s, long offset) {
        return u32(s, offset) * 1000;
    }
}
