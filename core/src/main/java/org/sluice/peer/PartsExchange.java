package org.sluice.peer;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sluice.spi.Gpu;
import org.sluice.spi.GpuException;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.MemorySharing;
import org.sluice.spi.PartsConnection;
import org.sluice.spi.PartsDoor;
import org.sluice.spi.PartsListener;
import org.sluice.spi.PeerMemory;
import org.sluice.spi.PullTransport;
import org.sluice.spi.SharedPart;
import org.sluice.spi.TransportException;

/**
 * The connection over which the two ends of a link on one host hand each other parts of memory, each with a number; number 0 is the probe
 * by which each side shows that it can copy from the other. Drivers may take long, so what is done here is done on the link's own thread;
 * what comes of it is told from there.
 */
final class PartsExchange {
    /** The number of the probe. */
    static final int PROBE = 0;

    /** Hears what became of it. On the link's own thread, or the transport's. */
    interface Told {
        /** This side has copied from the peer's probe. */
        void proven();

        /** A block, or the probe, is not to be had here. */
        void cannot(int number, String why);

        /** A block of the peer's is open. */
        void opened(int number, GpuMemory memory);

        void broken(String why);
    }

    private final Gpu gpu;
    private final MemorySharing sharing;
    private final PullTransport transport;
    private final PeerMemory peerMemory;
    private final SharingThread thread;
    private final Told told;
    private volatile @Nullable PartsDoor door;
    private volatile @Nullable PartsConnection connection;
    private volatile @Nullable SharingProbe probe;
    private volatile boolean ended;

    PartsExchange(
            Gpu gpu, MemorySharing sharing, PullTransport transport, String peer, SharingThread thread, Told told) {
        this.gpu = gpu;
        this.sharing = sharing;
        this.transport = transport;
        this.peerMemory = sharing.peer(peer);
        this.thread = thread;
        this.told = told;
    }

    /** Opens the door that the peer comes to. On the link's own thread. @return its handle */
    byte[] listen() throws TransportException {
        PartsDoor opened = transport.listen(listener);
        door = opened;
        return opened.handle();
    }

    /** Goes to the peer's door. On the link's own thread. */
    void connect(byte[] handle) throws TransportException {
        connection = transport.connect(handle, listener);
        if (ended) {
            closeConnection();
        }
    }

    /** Whether there is a connection. Any thread. */
    @Nullable PartsConnection connection() {
        return connection;
    }

    /** Hands a block over. On the link's own thread. @throws GpuException when its memory cannot be shared */
    void send(@Nullable PartsConnection over, int number, GpuMemory memory) {
        if (over == null) {
            throw new GpuException("there is no connection to hand it over", 0);
        }
        over.send(label(number, new byte[0]), sharing.export(memory));
    }

    /** What came over the connection; the transport's thread tells it. */
    private final PartsListener listener = new PartsListener() {
        @Override
        public void connected(PartsConnection c) {
            connection = c;
            if (ended) {
                c.close();
            } else if (!thread.run(() -> offerProbe(c))) {
                told.broken("the machine gives no thread");
            }
        }

        @Override
        public void received(byte[] label, List<SharedPart> parts) {
            if (!thread.run(() -> come(label, parts))) {
                sharing.discard(parts);
            }
        }

        @Override
        public void broken(String why) {
            told.broken(why);
        }
    };

    private void offerProbe(PartsConnection c) {
        try {
            SharingProbe made = new SharingProbe(gpu, sharing);
            probe = made;
            c.send(label(PROBE, made.expected()), made.parts());
        } catch (GpuException e) {
            told.cannot(PROBE, String.valueOf(e.getMessage()));
        }
    }

    private static byte[] label(int number, byte[] with) {
        return ByteBuffer.allocate(Integer.BYTES + with.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(number)
                .put(with)
                .array();
    }

    /** A block of the peer's. */
    private void come(byte[] label, List<SharedPart> parts) {
        if (ended || label.length < Integer.BYTES) {
            sharing.discard(parts);
            return;
        }
        int number = ByteBuffer.wrap(label).order(ByteOrder.LITTLE_ENDIAN).getInt();
        if (number == PROBE) {
            byte[] expected = Arrays.copyOfRange(label, Integer.BYTES, label.length);
            String why = SharingProbe.check(gpu, sharing, peerMemory, expected, parts);
            if (why.isEmpty()) {
                told.proven();
            } else {
                told.cannot(PROBE, why);
            }
            return;
        }
        try {
            told.opened(number, peerMemory.open(parts));
        } catch (GpuException | IllegalStateException e) {
            told.cannot(number, String.valueOf(e.getMessage()));
        }
    }

    /** What comes from now on is thrown away. Any thread. */
    void end() {
        ended = true;
    }

    /** Closes what is open, of the peer's too. On the link's own thread, after {@link #end}. */
    void close() {
        closeConnection();
        peerMemory.close();
        SharingProbe p = probe;
        if (p != null) {
            p.close();
        }
    }

    private void closeConnection() {
        PartsDoor d = door;
        if (d != null) {
            d.close();
        }
        PartsConnection c = connection;
        if (c != null) {
            c.close();
        }
    }
}
