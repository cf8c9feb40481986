package org.sluice.transfer;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;
import org.sluice.spi.Doorbell;

/**
 * The bell of one piece of an agent's work: whoever has something for it rings, and only then, or when its time comes, the agent turns it.
 * A ring that comes while the work is turned has it turned again: none is lost. Any thread may ring; all else belongs to the agent.
 */
public final class WorkBell implements Doorbell {
    private static final VarHandle RUNG;

    static {
        try {
            RUNG = MethodHandles.lookup().findVarHandle(WorkBell.class, "rung", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final RungBells rungBells;
    private final Doorbell agent;

    @SuppressWarnings("unused") // by its handle
    private boolean rung;

    /** The next in the row of those that have rung; whoever has set {@link #rung} sets it. */
    @Nullable WorkBell next;

    /** Whose bell it is; null while that is nobody's. */
    @Nullable Work work;

    /** Whether it is turned in each turn of the agent's. */
    boolean active;

    /** Whether it is to be turned at {@link #wantedAt} at the latest. */
    boolean waits;

    long wantedAt;
    /** Its place in {@link TurnTimes} and the time that it has there, which may be earlier than what is wanted. */
    int place = TurnTimes.NOWHERE;

    long placedAt;

    WorkBell(RungBells rungBells, Doorbell agent) {
        this.rungBells = rungBells;
        this.agent = agent;
    }

    /** Whether it is this work's, and not another's or nobody's by now. */
    @SuppressWarnings("ReferenceEquality")
    boolean isOf(@Nullable Work asked) {
        return work == asked;
    }

    @Override
    public void ring() {
        // written each time: the agent that takes the bell down sees all that came before the ring, whoever rang first
        if (!(boolean) RUNG.getAndSet(this, true)) {
            rungBells.push(this);
        }
        agent.ring();
    }

    /** What is rung for from now on is not seen by the turn that is about to begin, and has another follow. */
    void takeDown() {
        RUNG.getAndSet(this, false);
    }
}
