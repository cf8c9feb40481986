package org.sluice.transfer;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/** The bells that have rung since the agent last looked, a stack: any thread pushes, without a lock, the agent takes all. */
final class RungBells {
    private static final VarHandle TOP;

    static {
        try {
            TOP = MethodHandles.lookup().findVarHandle(RungBells.class, "top", WorkBell.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private volatile @Nullable WorkBell top;

    void push(WorkBell bell) {
        WorkBell before;
        do {
            before = top;
            bell.next = before;
        } while (!TOP.compareAndSet(this, before, bell));
    }

    /** @return the one that rang first, whose {@link WorkBell#next} is the one after it; null where none has rung */
    @Nullable WorkBell takeAll() {
        if (top == null) {
            return null;
        }
        WorkBell b = (WorkBell) TOP.getAndSet(this, null);
        WorkBell first = null;
        while (b != null) {
            WorkBell earlier = b.next;
            b.next = first;
            first = b;
            b = earlier;
        }
        return first;
    }
}
