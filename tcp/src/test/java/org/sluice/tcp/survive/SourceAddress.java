package org.sluice.tcp.survive;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ProtocolFamily;
import java.nio.channels.DatagramChannel;
import java.nio.channels.Pipe;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.channels.spi.AbstractSelector;
import java.nio.channels.spi.SelectorProvider;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The JDK's own sockets, but that every control connection of the process comes from one address, {@code -Dsurvive.source=127.0.0.2}: the
 * kernel would take 127.0.0.1 for all. Counts them: a client that is dropped opens another.
 */
public final class SourceAddress extends SelectorProvider {
    private static final AtomicInteger OPENED = new AtomicInteger();

    private final SelectorProvider jdk;
    private final String source = System.getProperty("survive.source", "127.0.0.1");

    /** For the JDK, which makes the one of the process. */
    public SourceAddress() throws ReflectiveOperationException {
        // asking for the process's provider would give this one
        jdk = (SelectorProvider) Class.forName("sun.nio.ch.DefaultSelectorProvider")
                .getMethod("get")
                .invoke(null);
    }

    /** The options of a JVM that is to use it. */
    static String[] options(String source) {
        return new String[] {
            "--add-exports=java.base/sun.nio.ch=ALL-UNNAMED",
            "-Djava.nio.channels.spi.SelectorProvider=" + SourceAddress.class.getName(),
            "-Dsurvive.source=" + source
        };
    }

    /** How many connections the process has opened, or tried to. */
    static int opened() {
        return OPENED.get();
    }

    @Override
    public SocketChannel openSocketChannel() throws IOException {
        SocketChannel channel = jdk.openSocketChannel();
        channel.bind(new InetSocketAddress(source, 0));
        OPENED.incrementAndGet();
        return channel;
    }

    @Override
    public ServerSocketChannel openServerSocketChannel() throws IOException {
        return jdk.openServerSocketChannel();
    }

    @Override
    public AbstractSelector openSelector() throws IOException {
        return jdk.openSelector();
    }

    @Override
    public DatagramChannel openDatagramChannel() throws IOException {
        return jdk.openDatagramChannel();
    }

    @Override
    public DatagramChannel openDatagramChannel(ProtocolFamily family) throws IOException {
        return jdk.openDatagramChannel(family);
    }

    @Override
    public Pipe openPipe() throws IOException {
        return jdk.openPipe();
    }
}
