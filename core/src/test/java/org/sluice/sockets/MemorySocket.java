package org.sluice.sockets;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketOption;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.AlreadyConnectedException;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NotYetConnectedException;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.nio.channels.spi.SelectorProvider;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One end of a connection in memory. */
final class MemorySocket extends SocketChannel implements Watched {
    private volatile @Nullable Ends ends;
    private volatile @Nullable MemoryKey key;
    private volatile int limitMillis;

    /** What both ends are to this one. */
    private record Ends(MemorySocket peer, OneWay in, OneWay out, InetSocketAddress local, InetSocketAddress remote) {}

    MemorySocket(SelectorProvider provider) {
        super(provider);
    }

    @Override
    public boolean connect(SocketAddress remote) throws IOException {
        expectOpen();
        if (ends != null) {
            throw new AlreadyConnectedException();
        }
        InetSocketAddress to = (InetSocketAddress) remote;
        MemoryServer server = MemorySockets.at(to);
        OneWay there = new OneWay(MemorySockets.TO_SERVERS);
        OneWay back = new OneWay(MemorySockets.TO_CLIENTS);
        InetSocketAddress here = MemorySockets.freeAddress();
        MemorySocket accepted = new MemorySocket(provider());
        accepted.ends = new Ends(this, there, back, to, here);
        ends = new Ends(accepted, back, there, here, to);
        server.add(accepted);
        return true;
    }

    private void expectOpen() throws IOException {
        if (!isOpen()) {
            throw new ClosedChannelException();
        }
    }

    private Ends connected() throws IOException {
        expectOpen();
        Ends e = ends;
        if (e == null) {
            throw new NotYetConnectedException();
        }
        return e;
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
        Ends e = connected();
        while (true) {
            int n = e.in.take(into);
            if (n > 0) {
                e.peer.nudge(SelectionKey.OP_WRITE);
            }
            if (n != 0 || !into.hasRemaining() || !isBlocking()) {
                return n;
            }
            if (!e.in.awaitBytes(limitMillis)) {
                throw new SocketTimeoutException("Read timed out");
            }
            if (!isOpen()) {
                throw new AsynchronousCloseException();
            }
        }
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
        Ends e = connected();
        int all = 0;
        while (true) {
            int n = e.out.put(from);
            all += n;
            if (n > 0) {
                e.peer.nudge(SelectionKey.OP_READ);
            }
            if (!from.hasRemaining() || !isBlocking()) {
                return all;
            }
            e.out.awaitRoom();
        }
    }

    @Override
    public long read(ByteBuffer[] into, int offset, int length) {
        throw new UnsupportedOperationException("no scattered reads");
    }

    @Override
    public long write(ByteBuffer[] from, int offset, int length) {
        throw new UnsupportedOperationException("no gathered writes");
    }

    private void nudge(int operations) {
        MemoryKey k = key;
        if (k != null) {
            k.nudge(operations);
        }
    }

    @Override
    public int ready() {
        Ends e = ends;
        return e == null
                ? 0
                : (e.in.isReadable() ? SelectionKey.OP_READ : 0) | (e.out.isWritable() ? SelectionKey.OP_WRITE : 0);
    }

    @Override
    public void watchedBy(MemoryKey by) {
        key = by;
    }

    @Override
    public SocketChannel shutdownOutput() throws IOException {
        Ends e = connected();
        e.out.writerDone();
        e.peer.nudge(SelectionKey.OP_READ);
        return this;
    }

    @Override
    public SocketChannel shutdownInput() {
        throw new UnsupportedOperationException("only the output is shut down");
    }

    @Override
    protected void implCloseSelectableChannel() {
        Ends e = ends;
        if (e != null) {
            e.out.writerDone();
            e.in.readerGone();
            e.peer.nudge(SelectionKey.OP_READ | SelectionKey.OP_WRITE);
        }
    }

    @Override
    protected void implConfigureBlocking(boolean block) {}

    @Override
    public boolean isConnected() {
        return ends != null;
    }

    @Override
    public boolean isConnectionPending() {
        return false;
    }

    @Override
    public boolean finishConnect() {
        return true;
    }

    @Override
    public @Nullable SocketAddress getRemoteAddress() throws IOException {
        expectOpen();
        Ends e = ends;
        return e == null ? null : e.remote;
    }

    @Override
    public @Nullable SocketAddress getLocalAddress() throws IOException {
        expectOpen();
        Ends e = ends;
        return e == null ? null : e.local;
    }

    @Override
    public SocketChannel bind(SocketAddress local) {
        throw new UnsupportedOperationException("a client's address is drawn");
    }

    @Override
    public <T> SocketChannel setOption(SocketOption<T> name, T value) {
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
    public Socket socket() {
        return PlainSocket.of(this);
    }

    /** How long a blocking read waits. @param millis 0 for ever */
    void limit(int millis) {
        limitMillis = millis;
    }
}
