package org.sluice.sockets;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.SocketAddress;
import java.net.SocketOption;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.channels.spi.SelectorProvider;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/** A listening socket in memory. Does not wait: a selector says when somebody has come. */
final class MemoryServer extends ServerSocketChannel implements Watched {
    private final Queue<MemorySocket> came = new ConcurrentLinkedQueue<>();
    private volatile @Nullable InetSocketAddress address;
    private volatile @Nullable MemoryKey key;

    MemoryServer(SelectorProvider provider) {
        super(provider);
    }

    @Override
    public ServerSocketChannel bind(SocketAddress local, int backlog) throws IOException {
        address = MemorySockets.listen(this, (InetSocketAddress) local);
        return this;
    }

    /** A client has connected. */
    void add(MemorySocket client) throws IOException {
        came.add(client);
        if (!isOpen()) {
            client.close();
        }
        MemoryKey k = key;
        if (k != null) {
            k.nudge(SelectionKey.OP_ACCEPT);
        }
    }

    @Override
    public int ready() {
        return came.isEmpty() ? 0 : SelectionKey.OP_ACCEPT;
    }

    @Override
    public void watchedBy(MemoryKey by) {
        key = by;
    }

    @Override
    public @Nullable SocketChannel accept() throws IOException {
        if (!isOpen()) {
            throw new ClosedChannelException();
        }
        return came.poll();
    }

    @Override
    public @Nullable SocketAddress getLocalAddress() {
        return address;
    }

    @Override
    public <T> ServerSocketChannel setOption(SocketOption<T> name, T value) {
        return this;
    }

    @Override
    public <T> T getOption(SocketOption<T> name) {
        throw new UnsupportedOperationException(name.name());
    }

    @Override
    public Set<SocketOption<?>> supportedOptions() {
        return Set.of();
    }

    @Override
    public ServerSocket socket() {
        throw new UnsupportedOperationException("no java.net.ServerSocket");
    }

    @Override
    protected void implCloseSelectableChannel() throws IOException {
        InetSocketAddress at = address;
        if (at != null) {
            MemorySockets.unlisten(this, at);
        }
        for (MemorySocket s = came.poll(); s != null; s = came.poll()) {
            s.close();
        }
    }

    @Override
    protected void implConfigureBlocking(boolean block) {}
}
