package org.sluice.ncclnet;

import java.util.ServiceLoader;
import org.jspecify.annotations.Nullable;
import org.sluice.spi.ChannelContext;
import org.sluice.spi.Connector;
import org.sluice.spi.Gpu;
import org.sluice.spi.GpuBackend;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.Listener;
import org.sluice.spi.ReceiveChannel;
import org.sluice.spi.Registration;
import org.sluice.spi.SendChannel;
import org.sluice.spi.Transport;
import org.sluice.spi.TransportException;

/** One channel of a transport, both ends in the test's hands. */
record Loop(Gpu gpu, GpuMemory memory, SendChannel sender, ReceiveChannel receiver, Registration source)
        implements AutoCloseable {
    static Loop over(Transport transport) throws TransportException {
        return over(transport, host());
    }

    static Loop over(Transport transport, Gpu gpu) throws TransportException {
        GpuMemory memory = gpu.allocate(1 << 20);
        try (Listener listener = transport.listen(0, new ChannelContext(gpu, 0, () -> {}));
                Connector connector = transport.connect(0, listener.handle(), new ChannelContext(gpu, 0, () -> {}))) {
            @Nullable SendChannel sender = null;
            @Nullable ReceiveChannel receiver = null;
            while (sender == null || receiver == null) {
                sender = sender == null ? connector.connect() : sender;
                receiver = receiver == null ? listener.accept() : receiver;
            }
            return new Loop(gpu, memory, sender, receiver, sender.register(memory));
        }
    }

    static Gpu host() {
        return ServiceLoader.load(GpuBackend.class).stream()
                .map(ServiceLoader.Provider::get)
                .filter(b -> b.name().equals("host"))
                .findFirst()
                .orElseThrow()
                .open(0);
    }

    boolean send(long bytes) throws TransportException {
        return sender.send(source, memory.address(), bytes, 0, 0);
    }

    @Override
    public void close() {
        sender.close();
        receiver.close();
        memory.close();
        gpu.close();
    }
}
