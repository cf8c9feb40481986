package org.sluice.transfer;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * When pieces of work that rest are to be turned at the latest, the earliest first: a heap. Who puts its time off, as work does whenever
 * something comes for it, keeps its place until that comes up: then it is put where it belongs. Belongs to the agent; allocates only when
 * there is more work than ever.
 */
final class TurnTimes {
    static final int NOWHERE = -1;

    private @Nullable WorkBell[] heap = new WorkBell[16];
    private int size;

    /** It is to be turned then, {@link System#nanoTime}. */
    void at(WorkBell bell, long when) {
        bell.waits = true;
        bell.wantedAt = when;
        if (bell.place == NOWHERE) {
            if (size == heap.length) {
                heap = Arrays.copyOf(heap, size * 2);
            }
            bell.placedAt = when;
            up(bell, size++);
        } else if (when - bell.placedAt < 0) {
            bell.placedAt = when;
            up(bell, bell.place);
        }
    }

    /** Takes one whose time has come; null where there is none. */
    @Nullable WorkBell due(long now) {
        while (size > 0) {
            WorkBell first = at(0);
            if (first.placedAt - now > 0) {
                return null;
            }
            if (first.waits && first.wantedAt - now > 0) {
                first.placedAt = first.wantedAt;
                down(first, 0);
                continue;
            }
            remove(first);
            if (first.waits) {
                first.waits = false;
                return first;
            }
        }
        return null;
    }

    /** How long nothing is due, at most. */
    long nanosToNext(long now, long most) {
        return size == 0 ? most : Math.max(0, Math.min(most, at(0).placedAt - now));
    }

    void remove(WorkBell bell) {
        int place = bell.place;
        if (place == NOWHERE) {
            return;
        }
        bell.place = NOWHERE;
        WorkBell last = at(--size);
        heap[size] = null;
        if (place < size) {
            down(last, place);
            up(last, last.place);
        }
    }

    private WorkBell at(int place) {
        WorkBell there = heap[place];
        if (there == null) {
            throw new IllegalStateException("no bell at place " + place + " of " + size);
        }
        return there;
    }

    private void up(WorkBell bell, int from) {
        int place = from;
        while (place > 0) {
            WorkBell parent = at((place - 1) / 2);
            if (parent.placedAt - bell.placedAt <= 0) {
                break;
            }
            put(parent, place);
            place = (place - 1) / 2;
        }
        put(bell, place);
    }

    private void down(WorkBell bell, int from) {
        int place = from;
        while (2 * place + 1 < size) {
            int child = 2 * place + 1;
            if (child + 1 < size && at(child + 1).placedAt - at(child).placedAt < 0) {
                child++;
            }
            if (at(child).placedAt - bell.placedAt >= 0) {
                break;
            }
            put(at(child), place);
            place = child;
        }
        put(bell, place);
    }

    private void put(WorkBell bell, int place) {
        heap[place] = bell;
        bell.place = place;
    }
}
