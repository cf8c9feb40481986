package org.sluice.transfer;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An agent's work, and which of it has something to do: what somebody has rung for, what has done something in its last turn, what has to be
 * asked again, and what has rested for as long as it wished to. A turn costs nothing for the rest of it. Belongs to the agent, but for what
 * bells say.
 */
final class WorkList {
    private static final Logger log = LoggerFactory.getLogger(WorkList.class);

    private static final long NANOS_PER_MILLI = 1_000_000;

    private final String agent;
    private final RungBells rungBells = new RungBells();
    private final TurnTimes times = new TurnTimes();
    private final Set<WorkBell> all = new HashSet<>();
    private @Nullable WorkBell[] active = new WorkBell[16];
    private int count;
    private boolean again;

    /** @param agent whose work it is, for the log */
    WorkList(String agent) {
        this.agent = agent;
    }

    RungBells rungBells() {
        return rungBells;
    }

    void add(Work work, WorkBell bell) {
        bell.work = work;
        all.add(bell);
        activate(bell);
    }

    /** Of this bell, unless it is another's by now. */
    void remove(Work work, WorkBell bell) {
        if (bell.isOf(work)) {
            bell.work = null;
            bell.waits = false;
            times.remove(bell);
            all.remove(bell);
        }
    }

    /** Its work ends for this reason, and is turned no more. */
    void fail(WorkBell bell, Throwable why) {
        Work work = bell.work;
        if (work == null) {
            return;
        }
        remove(work, bell);
        try {
            work.fail(why);
        } catch (Throwable e) {
            log.error("{}: internal error while something failed: {}", agent, e.toString(), e);
        }
    }

    void failAll(Throwable why) {
        for (WorkBell b : List.copyOf(all)) {
            fail(b, why);
        }
    }

    /** Turns what has something to do by now. What throws fails. @return how much was done */
    int turn(long now) {
        gather(now);
        int done = 0;
        again = false;
        int turned = count; // what is added meanwhile has its turn in the next
        for (int i = 0; i < turned; i++) {
            WorkBell b = active[i];
            if (b != null) {
                done += turn(b, i, now);
            }
        }
        close();
        return done;
    }

    private int turn(WorkBell bell, int place, long now) {
        Work work = bell.work;
        int done = 0;
        try {
            done = work == null ? 0 : work.doWork(now);
            if (bell.isOf(work)) { // it may have ended by itself
                int rest = work == null ? Work.IDLE_MILLIS : done > 0 ? 0 : work.restMillis();
                if (rest > 0) {
                    bell.active = false;
                    active[place] = null;
                    if (work != null) {
                        times.at(bell, now + rest * NANOS_PER_MILLI);
                    }
                }
                again |= done == 0 && rest == 0;
            }
        } catch (Throwable e) {
            fail(bell, e);
            done++;
        }
        return done;
    }

    /** Whether something has to be turned at once although it did nothing in the last turn. */
    boolean again() {
        return again;
    }

    private void gather(long now) {
        for (WorkBell b = rungBells.takeAll(); b != null; ) {
            WorkBell next = b.next;
            b.next = null;
            b.takeDown(); // from here on it may be in the row again
            if (b.work != null) {
                activate(b);
            }
            b = next;
        }
        for (WorkBell b = times.due(now); b != null; b = times.due(now)) {
            activate(b);
        }
    }

    private void activate(WorkBell bell) {
        if (!bell.active) {
            bell.active = true;
            bell.waits = false;
            if (count == active.length) {
                active = Arrays.copyOf(active, count * 2);
            }
            active[count++] = bell;
        }
    }

    /** Closes the gaps that the turn has left. */
    private void close() {
        int kept = 0;
        for (int i = 0; i < count; i++) {
            WorkBell b = active[i];
            active[i] = null;
            active[kept] = b;
            kept += b == null ? 0 : 1;
        }
        count = kept;
    }

    /** How long nothing is to be turned unless somebody rings, whole milliseconds, rounded up. */
    int restMillis(long now, int most) {
        return (int) Math.ceilDiv(times.nanosToNext(now, most * NANOS_PER_MILLI), NANOS_PER_MILLI);
    }
}
