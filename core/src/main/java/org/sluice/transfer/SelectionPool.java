package org.sluice.transfer;

import org.sluice.Pieces;

/**
 * Room for selections of prepared layouts, which is used again: what one takes was allocated for one before it. It keeps no more than
 * were under way at a time. Any thread may use it; each selection belongs to one thread at a time.
 */
public final class SelectionPool {
    /** Selections that are kept for the next transfers. */
    private static final int KEPT = 4;

    private final SelectedPieces[] free = new SelectedPieces[KEPT];
    private int frees;

    /** Begins a selection. @param most how many indices it is to have */
    public SelectedPieces take(Pieces of, int most) {
        SelectedPieces found = null;
        synchronized (this) {
            if (frees > 0) {
                found = free[--frees];
            }
        }
        SelectedPieces selected = found == null ? new SelectedPieces(this) : found;
        selected.begin(of, most);
        return selected;
    }

    synchronized void giveBack(SelectedPieces selected) {
        if (frees < KEPT) {
            free[frees++] = selected;
        }
    }
}
