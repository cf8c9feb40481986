package org.sluice.wire;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import org.sluice.ProtocolException;
import org.sluice.Where;

/**
 * A control connection that can go on over another TCP connection, when the NIC of the first one dies. What was written is kept until
 * the peer says that it has it, so nothing is lost and nothing comes twice: each side counts the bytes that it has taken, and on a
 * new connection the other goes on from there.
 *
 * <p>Bytes go in records: u32 length, u64 how many bytes the writer has taken from the peer, then that many bytes. A record of length 0
 * only tells the count. Any thread: the agent reads and writes, and a timer may write a heartbeat meanwhile.
 */
public final class MovableStream implements ControlStream {
    private static final int HEAD = 12;

    /** Longest record; what is longer goes as several. A frame of 64 KiB and what is said with it are one. */
    private static final int MOST_RECORD = 128 << 10;

    /** Most that is kept for a peer that does not say what it has; a peer tells at least every {@link #TELL_BYTES}. */
    private static final int MOST_KEPT = 1 << 20;

    /** Bytes taken after which the peer is told, where nothing else goes its way: most transfers of 64 KiB are answered before. */
    private static final int TELL_BYTES = 256 << 10;

    /** What a link that has little to say needs; grows with use. */
    private static final int FIRST_BYTES = 512;

    private static final int FIRST_RAW_BYTES = 1 << 10;

    /** What is larger is given back when it is not needed. */
    private static final int LARGE_BYTES = 4 << 10;

    private final Where where;
    private ControlStream inner;
    /** Bytes that the peer may not have, the oldest first: numbers {@code acknowledged} to {@code written}. */
    private ByteBuffer kept = buffer(FIRST_BYTES).flip();
    /** Records that the inner stream has not taken yet. */
    private ByteBuffer records = buffer(FIRST_BYTES).flip();
    /** Raw bytes of the inner stream that were not handed on yet. */
    private ByteBuffer raw = buffer(FIRST_RAW_BYTES).flip();

    private long acknowledged;
    private long written;
    private long taken;
    private long told;
    /** Bytes of the record under way that are still to come. */
    private int left;
    /** Bytes that come a second time, since they were taken from the old connection after the peer was told where to go on. */
    private long twice;

    private boolean ended;
    /** Whether anything came over the inner stream. */
    private boolean heard;

    /** @param inner the connection on which the link was made, with everything on it read that belongs to the bootstrap */
    public MovableStream(ControlStream inner, Where where) {
        this.inner = inner;
        this.where = where;
    }

    private static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public synchronized boolean isLarge() {
        return (kept.capacity() > LARGE_BYTES && kept.capacity() > 2 * (kept.remaining() + FIRST_BYTES))
                || (records.capacity() > LARGE_BYTES && !records.hasRemaining())
                || (raw.capacity() > LARGE_BYTES && !raw.hasRemaining());
    }

    @Override
    public synchronized void trim() {
        kept = buffer(kept.remaining() + FIRST_BYTES).put(kept).flip();
        if (!records.hasRemaining()) {
            records = buffer(FIRST_BYTES).flip();
        }
        if (!raw.hasRemaining()) {
            raw = buffer(FIRST_RAW_BYTES).flip();
        }
    }

    /** How many bytes of the peer's this side has taken: where the peer is to go on. */
    public synchronized long taken() {
        return taken;
    }

    /** Whether the peer can have taken so many bytes: as many as it has confirmed, and no more than were written. */
    public synchronized boolean canGoOnAt(long peerTaken) {
        return peerTaken >= acknowledged && peerTaken <= written;
    }

    /** Whether the peer has said anything over the connection that the stream is on now. */
    public synchronized boolean isHeard() {
        return heard;
    }

    /**
     * Goes on over another connection; the old one is closed.
     *
     * @param next a connection on which nothing of the stream has been said yet, not blocking
     * @param toldTaken what the peer was told of {@link #taken}
     * @param peerTaken what the peer has taken
     * @throws ProtocolException when the peer claims to have what was never sent, or to lack what it had
     */
    public synchronized void moveTo(ControlStream next, long toldTaken, long peerTaken) {
        if (!canGoOnAt(peerTaken)) {
            throw new ProtocolException(
                    where,
                    "the peer resumes the control connection at byte " + peerTaken + "; this side has " + acknowledged
                            + " to " + written);
        }
        acknowledge(peerTaken);
        try {
            inner.close();
        } catch (IOException e) {
            // it is dead, that is why it is left
        }
        inner = next;
        heard = false;
        raw.clear().flip();
        left = 0;
        twice = taken - toldTaken;
        records = buffer(Math.max(FIRST_BYTES, kept.remaining() + HEAD * (1 + kept.remaining() / MOST_RECORD)));
        ByteBuffer again = kept.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        while (again.hasRemaining()) {
            frame(again, Math.min(again.remaining(), MOST_RECORD));
        }
        records.flip();
    }

    private void acknowledge(long peerTaken) {
        kept.position(kept.position() + (int) (peerTaken - acknowledged));
        acknowledged = peerTaken;
    }

    /** Puts a record at the end of {@link #records}, which is being filled. */
    private void frame(ByteBuffer from, int bytes) {
        records.putInt(bytes).putLong(taken);
        told = taken;
        int end = from.limit();
        from.limit(from.position() + bytes);
        records.put(from);
        from.limit(end);
    }

    @Override
    public synchronized int write(ByteBuffer from) throws IOException {
        drain();
        int bytes = Math.min(Math.min(from.remaining(), MOST_RECORD), MOST_KEPT - kept.remaining());
        if (records.hasRemaining() || bytes == 0) {
            return 0;
        }
        keep(from, bytes);
        if (records.capacity() < HEAD + bytes) {
            records = buffer(Integer.highestOneBit(HEAD + bytes) << 1);
        }
        records.clear();
        frame(from, bytes);
        records.flip();
        written += bytes;
        try {
            drain();
        } catch (IOException e) {
            // the bytes are kept and go over the next connection; that this one is dead the next call says
            return bytes;
        }
        return bytes;
    }

    @SuppressWarnings("ReferenceEquality") // the same buffer, not one with the same bytes
    private void keep(ByteBuffer from, int bytes) {
        if (kept.capacity() - kept.limit() < bytes) {
            int needed = kept.remaining() + bytes;
            ByteBuffer larger = needed <= kept.capacity() ? kept : buffer(Integer.highestOneBit(needed) << 1);
            if (larger == kept) {
                kept.compact().flip();
            } else {
                kept = larger.put(kept).flip();
            }
        }
        int end = kept.limit();
        kept.limit(end + bytes).put(end, from, from.position(), bytes);
    }

    private void drain() throws IOException {
        if (records.hasRemaining() || inner.hasUnsent()) {
            int ignored = inner.write(records);
        }
    }

    @Override
    public synchronized boolean hasUnsent() {
        return records.hasRemaining() || inner.hasUnsent();
    }

    @Override
    public synchronized int read(ByteBuffer into) throws IOException {
        int before = into.position();
        try {
            take(into);
        } catch (IOException e) {
            if (into.position() == before) {
                throw e;
            }
            // what came before the error is handed on first: it may say why; the next call meets the error again
        }
        int got = into.position() - before;
        return got == 0 && ended ? -1 : got;
    }

    private void take(ByteBuffer into) throws IOException {
        while (into.hasRemaining()) {
            if (left == 0 && !head()) {
                if (fill() > 0) {
                    continue;
                }
                break;
            }
            if (left > 0 && !payload(into) && fill() <= 0) {
                break;
            }
        }
        tell();
    }

    private int fill() throws IOException {
        if (raw.limit() == raw.capacity() && raw.capacity() < MOST_RECORD) {
            // it came full: there is much to read, and a system call for each of few bytes is dear
            raw = buffer(raw.capacity() * 4).put(raw);
        } else {
            raw.compact();
        }
        int n = inner.read(raw);
        raw.flip();
        ended = n < 0;
        heard |= n > 0;
        return n;
    }

    /** Takes the head of the next record. @return whether it was there */
    private boolean head() {
        if (raw.remaining() < HEAD) {
            return false;
        }
        int length = raw.getInt();
        long peerTaken = raw.getLong();
        if (length < 0 || length > MOST_RECORD || peerTaken < acknowledged || peerTaken > written) {
            throw new ProtocolException(
                    where,
                    "the peer sent a record of " + length + " bytes that confirms byte " + peerTaken + "; it may have "
                            + MOST_RECORD + " bytes and confirm " + acknowledged + " to " + written);
        }
        acknowledge(peerTaken);
        left = length;
        return true;
    }

    /** Hands on what is there of the record under way. @return whether anything was */
    private boolean payload(ByteBuffer into) {
        if (!raw.hasRemaining()) {
            return false;
        }
        if (twice > 0) {
            int skipped = (int) Math.min(Math.min(twice, left), raw.remaining());
            raw.position(raw.position() + skipped);
            left -= skipped;
            twice -= skipped;
            return true;
        }
        int n = Math.min(Math.min(left, raw.remaining()), into.remaining());
        int end = raw.limit();
        raw.limit(raw.position() + n);
        into.put(raw);
        raw.limit(end);
        left -= n;
        taken += n;
        return true;
    }

    /** Says how far this side is, where it has long said nothing: what the peer keeps is bounded. */
    private void tell() throws IOException {
        if (taken - told >= TELL_BYTES && !records.hasRemaining()) {
            records.clear();
            records.putInt(0).putLong(taken).flip();
            told = taken;
            drain();
        }
    }

    @Override
    public synchronized SocketChannel socket() {
        return inner.socket();
    }

    @Override
    public int await(byte[] into, int at, int most, Deadline deadline) {
        throw new UnsupportedOperationException("a link that is made does not wait for its control connection");
    }

    @Override
    public byte[] binding() {
        return inner.binding();
    }

    @Override
    public synchronized void shutdownOutput() throws IOException {
        inner.shutdownOutput();
    }

    @Override
    public synchronized void close() throws IOException {
        inner.close();
    }
}
