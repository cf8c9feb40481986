package org.sluice.transfer;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Transfers by message id: open addressing over primitive keys, since it is asked for every grant. */
final class TransferTable<T extends ChunkedTransfer> {
    /** What a table begins with; doubles with use. */
    private static final int FIRST = 8;

    private Object[] slots = new Object[FIRST];
    private int size;

    @SuppressWarnings("unchecked")
    @Nullable T get(long id) {
        for (int i = home(id); ; i = (i + 1) & (slots.length - 1)) {
            T found = (T) slots[i];
            if (found == null || found.id == id) {
                return found;
            }
        }
    }

    void put(T transfer) {
        if (++size * 2 > slots.length) {
            Object[] old = slots;
            slots = new Object[old.length * 2];
            for (Object o : old) {
                if (o != null) {
                    insert(o);
                }
            }
        }
        insert(transfer);
    }

    private void insert(Object transfer) {
        int i = home(((ChunkedTransfer) transfer).id);
        while (slots[i] != null) {
            i = (i + 1) & (slots.length - 1);
        }
        slots[i] = transfer;
    }

    void remove(long id) {
        int i = home(id);
        while (slots[i] != null && ((ChunkedTransfer) slots[i]).id != id) {
            i = (i + 1) & (slots.length - 1);
        }
        if (slots[i] == null) {
            return;
        }
        size--;
        slots[i] = null;
        // close the gap: whatever follows in the run may have been pushed past this slot
        for (int j = (i + 1) & (slots.length - 1); slots[j] != null; j = (j + 1) & (slots.length - 1)) {
            Object moved = slots[j];
            slots[j] = null;
            insert(moved);
        }
    }

    int size() {
        return size;
    }

    /** Shows every transfer; none may be put or removed meanwhile. */
    @SuppressWarnings("unchecked")
    void each(Consumer<? super T> to) {
        for (Object o : slots) {
            if (o != null) {
                to.accept((T) o);
            }
        }
    }

    /** Hands every transfer over and forgets them all. */
    @SuppressWarnings("unchecked")
    void drain(Consumer<? super T> to) {
        Object[] all = slots;
        slots = new Object[FIRST];
        size = 0;
        for (Object o : all) {
            if (o != null) {
                to.accept((T) o);
            }
        }
    }

    private int home(long id) {
        long mixed = id * 0x9E3779B97F4A7C15L;
        return (int) (mixed >>> 40) & (slots.length - 1);
    }
}
