package org.sluice.sockets;

import java.nio.channels.CancelledKeyException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.spi.AbstractSelectableChannel;
import java.nio.channels.spi.AbstractSelectionKey;
import java.util.concurrent.atomic.AtomicBoolean;

/** What a selector wants to know of a channel. Whoever changes the channel nudges it, so that no selector looks at all of its channels. */
final class MemoryKey extends AbstractSelectionKey {
    private final AbstractSelectableChannel channel;
    private final MemorySelector selector;
    private final AtomicBoolean nudged = new AtomicBoolean();
    private volatile int interest;
    private volatile int ready;

    MemoryKey(AbstractSelectableChannel channel, MemorySelector selector) {
        this.channel = channel;
        this.selector = selector;
    }

    @Override
    public SelectableChannel channel() {
        return channel;
    }

    AbstractSelectableChannel watched() {
        return channel;
    }

    @Override
    public Selector selector() {
        return selector;
    }

    @Override
    public int interestOps() {
        expectValid();
        return interest;
    }

    @Override
    public SelectionKey interestOps(int operations) {
        expectValid();
        interest = operations;
        nudge(operations);
        return this;
    }

    @Override
    public int readyOps() {
        expectValid();
        return ready;
    }

    private void expectValid() {
        if (!isValid()) {
            throw new CancelledKeyException();
        }
    }

    /** The channel may be ready for one of these. Any thread. */
    void nudge(int operations) {
        if ((interest & operations) != 0 && nudged.compareAndSet(false, true)) {
            selector.nudged(this);
        }
    }

    /** The selector's own: looks at the channel. @return whether it is ready for what is wanted */
    boolean look() {
        nudged.set(false); // what changes from here on is another nudge
        ready = isValid() ? ((Watched) channel).ready() & interest : 0;
        return ready != 0;
    }
}
