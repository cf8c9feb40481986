package org.sluice.sockets;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProtocolFamily;
import java.nio.channels.DatagramChannel;
import java.nio.channels.Pipe;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.channels.spi.AbstractSelector;
import java.nio.channels.spi.SelectorProvider;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/**
 * Stream sockets, listening sockets and selectors in memory, for a JVM that is started with {@code
 * -Djava.nio.channels.spi.SelectorProvider=org.sluice.sockets.MemorySockets}: the code under test is the same, and no descriptor, no port
 * and no byte of kernel memory is used. Counts every byte of every connection.
 */
public final class MemorySockets extends SelectorProvider {
    private static final int FIRST_PORT = 1024;
    private static final Map<Integer, MemoryServer> SERVERS = new ConcurrentHashMap<>();
    private static final AtomicInteger PORTS = new AtomicInteger();

    /** Bytes that clients said to servers, all connections together. */
    static final LongAdder TO_SERVERS = new LongAdder();

    /** Bytes that servers said to clients. */
    static final LongAdder TO_CLIENTS = new LongAdder();

    /** For the JDK, which makes the one of the process. */
    public MemorySockets() {}

    /** Whether this process was started with it. */
    public static boolean areUsed() {
        return SelectorProvider.provider() instanceof MemorySockets;
    }

    /** Bytes said by clients to servers since the process began. */
    public static long bytesToServers() {
        return TO_SERVERS.sum();
    }

    /** Bytes said by servers to clients since the process began. */
    public static long bytesToClients() {
        return TO_CLIENTS.sum();
    }

    static InetSocketAddress freeAddress() {
        int port = FIRST_PORT + Math.floorMod(PORTS.getAndIncrement(), 65536 - FIRST_PORT);
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    }

    /** @return where it listens: an own port, where 0 was asked for */
    static InetSocketAddress listen(MemoryServer server, InetSocketAddress wanted) throws IOException {
        InetSocketAddress at = wanted;
        do {
            at = wanted.getPort() == 0
                    ? new InetSocketAddress(wanted.getAddress(), freeAddress().getPort())
                    : wanted;
        } while (SERVERS.putIfAbsent(at.getPort(), server) != null && wanted.getPort() == 0);
        if (!server.equals(SERVERS.get(at.getPort()))) {
            throw new java.net.BindException("Address already in use");
        }
        return at;
    }

    static void unlisten(MemoryServer server, InetSocketAddress at) {
        SERVERS.remove(at.getPort(), server);
    }

    static MemoryServer at(InetSocketAddress address) throws IOException {
        MemoryServer server = SERVERS.get(address.getPort());
        if (server == null) {
            throw new ConnectException("Connection refused");
        }
        return server;
    }

    @Override
    public SocketChannel openSocketChannel() {
        return new MemorySocket(this);
    }

    @Override
    public ServerSocketChannel openServerSocketChannel() {
        return new MemoryServer(this);
    }

    @Override
    public AbstractSelector openSelector() {
        return new MemorySelector(this);
    }

    @Override
    public DatagramChannel openDatagramChannel() {
        throw new UnsupportedOperationException("no datagrams");
    }

    @Override
    public DatagramChannel openDatagramChannel(ProtocolFamily family) {
        throw new UnsupportedOperationException("no datagrams");
    }

    @Override
    public Pipe openPipe() {
        throw new UnsupportedOperationException("no pipes");
    }
}
