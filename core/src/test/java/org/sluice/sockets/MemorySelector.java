package org.sluice.sockets;

import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.spi.AbstractSelectableChannel;
import java.nio.channels.spi.AbstractSelector;
import java.nio.channels.spi.SelectorProvider;
import java.util.Collections;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;

/** Selects among channels in memory; what it costs grows with those that something happens on, as with the kernel's. */
final class MemorySelector extends AbstractSelector {
    private final Set<SelectionKey> keys = ConcurrentHashMap.newKeySet();
    private final Set<SelectionKey> selected = new HashSet<>();
    private final Queue<MemoryKey> nudged = new ConcurrentLinkedQueue<>();

    /** Those that may be ready: what is not read stays so. The selecting thread's own. */
    private final Set<MemoryKey> candidates = new LinkedHashSet<>();

    private final Object bell = new Object();
    private boolean rung;
    private boolean woken;

    MemorySelector(SelectorProvider provider) {
        super(provider);
    }

    void nudged(MemoryKey key) {
        nudged.add(key);
        synchronized (bell) {
            rung = true;
            bell.notifyAll();
        }
    }

    @Override
    public Selector wakeup() {
        synchronized (bell) {
            woken = true;
            bell.notifyAll();
        }
        return this;
    }

    @Override
    protected SelectionKey register(AbstractSelectableChannel channel, int operations, Object attached) {
        MemoryKey key = new MemoryKey(channel, this);
        key.attach(attached);
        keys.add(key);
        ((Watched) channel).watchedBy(key);
        return key.interestOps(operations);
    }

    @Override
    public Set<SelectionKey> keys() {
        return Collections.unmodifiableSet(keys);
    }

    @Override
    public Set<SelectionKey> selectedKeys() {
        expectOpen();
        return selected;
    }

    private void expectOpen() {
        if (!isOpen()) {
            throw new ClosedSelectorException();
        }
    }

    @Override
    public int selectNow() {
        return poll(0);
    }

    @Override
    public int select(long timeout) {
        return poll(timeout == 0 ? Long.MAX_VALUE : TimeUnit.MILLISECONDS.toNanos(timeout));
    }

    @Override
    public int select() {
        return poll(Long.MAX_VALUE);
    }

    private int poll(long nanos) {
        long begin = System.nanoTime();
        begin();
        try {
            while (true) {
                expectOpen();
                forgetCancelled();
                int found = look();
                long left = nanos == Long.MAX_VALUE ? nanos : nanos - (System.nanoTime() - begin);
                if (rest(found > 0 ? 0 : left) || found > 0 || left <= 0) {
                    return found;
                }
            }
        } finally {
            end();
        }
    }

    /** @return whether it was woken on purpose */
    private boolean rest(long nanos) {
        synchronized (bell) {
            long begin = System.nanoTime();
            while (!rung && !woken && System.nanoTime() - begin < nanos) {
                try {
                    bell.wait(nanos == Long.MAX_VALUE ? 0 : TimeUnit.NANOSECONDS.toMillis(nanos) + 1);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    woken = true;
                }
            }
            boolean was = woken;
            rung = false;
            woken = false;
            return was;
        }
    }

    private int look() {
        for (MemoryKey k = nudged.poll(); k != null; k = nudged.poll()) {
            candidates.add(k);
        }
        int found = 0;
        for (Iterator<MemoryKey> i = candidates.iterator(); i.hasNext(); ) {
            MemoryKey k = i.next();
            if (k.look()) {
                selected.add(k);
                found++;
            } else {
                i.remove();
            }
        }
        return found;
    }

    private void forgetCancelled() {
        Set<SelectionKey> cancelled = cancelledKeys();
        synchronized (cancelled) {
            for (SelectionKey k : cancelled) {
                forget((MemoryKey) k);
            }
            cancelled.clear();
        }
    }

    private void forget(MemoryKey key) {
        keys.remove(key);
        selected.remove(key);
        candidates.remove(key);
        deregister(key);
    }

    @Override
    protected void implCloseSelector() {
        wakeup();
        keys.forEach(k -> deregister((MemoryKey) k));
        keys.clear();
    }
}
