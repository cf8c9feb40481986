package org.sluice.memory;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.sluice.spi.ChannelContext;
import org.sluice.spi.Connector;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.Listener;
import org.sluice.spi.MemoryKind;
import org.sluice.spi.Nic;
import org.sluice.spi.ReceiveChannel;
import org.sluice.spi.Registration;
import org.sluice.spi.ScatterList;
import org.sluice.spi.SendChannel;
import org.sluice.spi.Transport;
import org.sluice.spi.TransportException;

/** Wires between transports of the same process; listeners find each other by a number in the handle. */
public final class MemoryTransport implements Transport {
    private static final long MAGIC = 0x534c5543454d454dL;
    private static final Map<Long, Listening> LISTENERS = new ConcurrentHashMap<>();
    private static final AtomicLong NUMBERS = new AtomicLong();
    private static final Registration REGISTRATION = () -> {};

    private final List<Nic> nics;
    private final int requests;
    private final ConcurrentLinkedQueue<AutoCloseable> open = new ConcurrentLinkedQueue<>();
    private final ConcurrentLinkedQueue<MemoryWire> wires = new ConcurrentLinkedQueue<>();

    /** @param requests most requests in flight on one channel */
    public MemoryTransport(int devices, int requests) {
        this.requests = requests;
        this.nics = IntStream.range(0, devices)
                .mapToObj(d -> new Nic(
                        d,
                        "mem" + d,
                        null,
                        List.of(),
                        null,
                        -1,
                        0,
                        d,
                        Set.of(MemoryKind.HOST),
                        requests,
                        Long.MAX_VALUE,
                        false))
                .toList();
    }

    @Override
    public String name() {
        return "memory";
    }

    @Override
    public List<Nic> devices() {
        return nics;
    }

    @Override
    public boolean ringsDoorbell() {
        return true;
    }

    /** Cuts every wire that was made over a device by this transport's listeners. */
    public void cut(int device) {
        wires.forEach(w -> {
            if (w.name().startsWith(nics.get(device).name() + " ")) {
                w.cut();
            }
        });
    }

    @Override
    public Listener listen(int device, ChannelContext context) throws TransportException {
        if (device < 0 || device >= nics.size()) {
            throw new TransportException("device " + device + " does not exist, there are " + nics.size());
        }
        Listening l = new Listening(NUMBERS.incrementAndGet(), nics.get(device).name(), context);
        LISTENERS.put(l.number, l);
        open.add(l);
        return l;
    }

    @Override
    public Connector connect(int device, byte[] handle, ChannelContext context) throws TransportException {
        ByteBuffer bytes = ByteBuffer.wrap(handle);
        if (handle.length != 16 || bytes.getLong() != MAGIC) {
            throw new TransportException("the handle is not one of this transport");
        }
        return new Connecting(bytes.getLong(), context);
    }

    @Override
    public void close() {
        for (AutoCloseable c = open.poll(); c != null; c = open.poll()) {
            try {
                c.close();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
    }

    private final class Listening implements Listener {
        final long number;
        private final String nic;
        private final ChannelContext context;
        private @Nullable MemoryWire wire;
        private boolean handedOut;

        Listening(long number, String nic, ChannelContext context) {
            this.number = number;
            this.nic = nic;
            this.context = context;
        }

        synchronized MemoryWire join(ChannelContext sender) throws TransportException {
            if (wire != null) {
                throw new TransportException("somebody else has connected to this listener");
            }
            MemoryWire made = new MemoryWire(
                    nic + " channel " + context.channel(), requests, sender.doorbell(), context.doorbell());
            wire = made;
            wires.add(made);
            context.doorbell().ring();
            return made;
        }

        @Override
        public byte[] handle() {
            return ByteBuffer.allocate(16).putLong(MAGIC).putLong(number).array();
        }

        @Override
        public synchronized @Nullable ReceiveChannel accept() {
            MemoryWire w = wire;
            if (w == null) {
                return null;
            }
            handedOut = true;
            Receiving r = new Receiving(w);
            open.add(r);
            return r;
        }

        @Override
        public synchronized void close() {
            LISTENERS.remove(number);
            MemoryWire w = wire;
            if (w != null && !handedOut) {
                w.closeReceiver();
            }
        }
    }

    private final class Connecting implements Connector {
        private final long number;
        private final ChannelContext context;

        Connecting(long number, ChannelContext context) {
            this.number = number;
            this.context = context;
        }

        @Override
        public SendChannel connect() throws TransportException {
            Listening l = LISTENERS.get(number);
            if (l == null) {
                throw new TransportException("nobody listens for this handle");
            }
            Sending s = new Sending(l.join(context));
            open.add(s);
            return s;
        }

        @Override
        public void close() {}
    }

    /** What a test does to the calls of the agents: it may throw, and it may wait. */
    public interface Mischief {
        /** @param call {@code send}, {@code testSend}, {@code registerSend}, {@code receive}, {@code testReceive} */
        void before(String call, String wire);
    }

    private static volatile Mischief mischief = (call, wire) -> {};

    /** For all transports of this process, until the next call. */
    public static void mischief(Mischief what) {
        mischief = what;
    }

    /** No mischief any more. */
    public static void behave() {
        mischief = (call, wire) -> {};
    }

    private static final class Sending implements SendChannel {
        private final MemoryWire wire;

        Sending(MemoryWire wire) {
            this.wire = wire;
        }

        @Override
        public Registration register(GpuMemory memory) {
            mischief.before("registerSend", wire.name());
            return REGISTRATION;
        }

        @Override
        public boolean send(Registration memory, long address, long bytes, long message, long offset)
                throws TransportException {
            mischief.before("send", wire.name());
            return wire.send(address, bytes, message, offset);
        }

        @Override
        public int test() throws TransportException {
            mischief.before("testSend", wire.name());
            return wire.testSend();
        }

        @Override
        public String description() {
            return wire.name() + " out";
        }

        @Override
        public void close() {
            wire.closeSender();
        }
    }

    private static final class Receiving implements ReceiveChannel {
        private final MemoryWire wire;

        Receiving(MemoryWire wire) {
            this.wire = wire;
        }

        @Override
        public Registration register(GpuMemory memory) {
            return REGISTRATION;
        }

        @Override
        public boolean receive(Registration memory, long address, long bytes, long message, long offset)
                throws TransportException {
            mischief.before("receive", wire.name());
            return wire.receive(address, bytes, message, offset);
        }

        @Override
        public int test() throws TransportException {
            mischief.before("testReceive", wire.name());
            return wire.testReceive();
        }

        @Override
        public ScatterList scattered() {
            throw new IllegalStateException("this transport does not scatter");
        }

        @Override
        public void consumed() throws TransportException {
            wire.consumed();
        }

        @Override
        public String description() {
            return wire.name() + " in";
        }

        @Override
        public void close() {
            wire.closeReceiver();
        }
    }
}
