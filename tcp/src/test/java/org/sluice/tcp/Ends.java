package org.sluice.tcp;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.ServiceLoader;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.sluice.spi.Channel;
import org.sluice.spi.ChannelContext;
import org.sluice.spi.ChannelKeys;
import org.sluice.spi.Connector;
import org.sluice.spi.Gpu;
import org.sluice.spi.GpuBackend;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.Listener;
import org.sluice.spi.PeerId;
import org.sluice.spi.ReceiveChannel;
import org.sluice.spi.SendChannel;
import org.sluice.spi.Transport;
import org.sluice.spi.TransportConfig;
import org.sluice.spi.TransportException;

/** Two nodes' tcp transports over one loopback rail, and memory at both; channels between them are granted ones of one peer. */
final class Ends implements AutoCloseable {
    private static final long PATIENCE_NANOS = Duration.ofSeconds(30).toNanos();
    private static final int REGION = 8 << 20;
    static final byte UNTOUCHED = 0x5a;

    private final Semaphore rings = new Semaphore(0);
    private final PeerId peer = PeerId.unique();
    private final List<Gpu> gpus = new ArrayList<>();
    private final List<AutoCloseable> opened = new ArrayList<>();
    final Transport server;
    final Transport client;
    final GpuMemory source;
    final GpuMemory target;

    /** Both ends of one channel. */
    record Pair(SendChannel sender, ReceiveChannel receiver) {
        String connection() {
            return sender.connections().getFirst().name();
        }
    }

    /** One look. */
    interface Look {
        /** @return whether it is done */
        boolean isDone() throws TransportException;
    }

    private final ChannelKeys keys;

    Ends() throws TransportException {
        this(Map.of(), ChannelKeys.NONE);
    }

    /** @param options of both transports */
    Ends(Map<String, String> options, ChannelKeys keys) throws TransportException {
        this.keys = keys;
        Ends.class
                .getModule()
                .addUses(GpuBackend.class); // tests are part of the module, which itself has no use for one
        GpuBackend host = ServiceLoader.load(GpuBackend.class).stream()
                .map(ServiceLoader.Provider::get)
                .filter(b -> b.name().equals("host"))
                .findFirst()
                .orElseThrow();
        for (int g = 0; g < 16; g++) {
            gpus.add(host.open(g));
        }
        source = gpus.getFirst().allocate(REGION);
        target = gpus.getFirst().allocate(REGION);
        byte[] random = new byte[REGION];
        new Random(7).nextBytes(random);
        bytes(source).copyFrom(MemorySegment.ofArray(random));
        bytes(target).fill(UNTOUCHED);
        server = open(options);
        client = open(options);
    }

    private static Transport open(Map<String, String> options) throws TransportException {
        return new TcpTransportProvider().open(new TransportConfig(List.of("lo1"), 1, 0, options));
    }

    static MemorySegment bytes(GpuMemory memory) {
        return memory.host().orElseThrow();
    }

    ChannelContext context(int gpu, int channel) {
        return new ChannelContext(gpus.get(gpu), channel, 0, peer, true, rings::release, keys);
    }

    Listener listen(int gpu, int channel) throws TransportException {
        Listener listener = server.listen(0, context(gpu, channel));
        opened.add(listener);
        return listener;
    }

    /** A channel of the client's GPU to the server. */
    Pair pair(int gpu, int channel) throws TransportException {
        try (Listener listener = server.listen(0, context(gpu, channel));
                Connector connector = client.connect(0, listener.handle(), context(gpu, channel))) {
            @Nullable SendChannel[] sender = new SendChannel[1];
            @Nullable ReceiveChannel[] receiver = new ReceiveChannel[1];
            until("a channel of GPU " + gpu, () -> {
                sender[0] = sender[0] == null ? connector.connect() : sender[0];
                receiver[0] = receiver[0] == null ? listener.accept() : receiver[0];
                return sender[0] != null && receiver[0] != null;
            });
            return new Pair(sender[0], receiver[0]);
        }
    }

    boolean send(Pair pair, long at, long length) throws TransportException {
        return pair.sender.send(pair.sender.register(source), source.address() + at, length, 1, at);
    }

    boolean receive(Pair pair, long at, long length) throws TransportException {
        return receive(pair.receiver, at, length);
    }

    boolean receive(ReceiveChannel channel, long at, long length) throws TransportException {
        return channel.receive(channel.register(target), target.address() + at, length, 1, at);
    }

    /** Moves one message of each length, all of a range, and waits for both ends. */
    void move(Pair pair, long at, long length) throws TransportException {
        if (!receive(pair, at, length) || !send(pair, at, length)) {
            throw new AssertionError("refused");
        }
        await(pair.sender);
        await(pair.receiver);
    }

    void await(Channel channel) throws TransportException {
        until(channel.description(), () -> channel.test() != Channel.PENDING);
    }

    /** Waits until a channel says that it is broken. @return why */
    String awaitBroken(Channel channel) {
        String[] why = new String[1];
        try {
            until("the end of " + channel.description(), () -> {
                int ignored = channel.test();
                return false;
            });
        } catch (TransportException e) {
            why[0] = e.getMessage();
        }
        return String.valueOf(why[0]);
    }

    void until(String what, Look look) throws TransportException {
        long end = System.nanoTime() + PATIENCE_NANOS;
        while (!look.isDone()) {
            if (System.nanoTime() - end > 0) {
                throw new AssertionError("not in time: " + what);
            }
            try {
                // a ring, or a look: making channels needs no bell
                if (rings.tryAcquire(1, TimeUnit.MILLISECONDS)) {
                    int ignored = rings.drainPermits();
                }
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    /** Offset of the first byte of a range that did not arrive; -1 for none. */
    long wrong(long from, long to) {
        return MemorySegment.mismatch(bytes(source), from, to, bytes(target), from, to);
    }

    boolean isUntouched(long from, long to) {
        return bytes(target).asSlice(from, to - from).mismatch(MemorySegment.ofArray(untouched((int) (to - from)))) < 0;
    }

    private static byte[] untouched(int length) {
        byte[] bytes = new byte[length];
        java.util.Arrays.fill(bytes, UNTOUCHED);
        return bytes;
    }

    @Override
    public void close() throws TransportException {
        try {
            for (AutoCloseable c : opened) {
                c.close();
            }
        } catch (Exception e) {
            throw new AssertionError(e);
        }
        client.close();
        server.close();
        source.close();
        target.close();
        for (Gpu g : gpus) {
            g.close();
        }
    }
}
