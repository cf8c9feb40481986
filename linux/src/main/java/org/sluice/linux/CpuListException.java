package org.sluice.linux;

/** A CPU list or a binding string is wrong. The message shows the text and points at the place. */
public final class CpuListException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    private final int position;

    CpuListException(String text, int position, String problem) {
        super("at position " + (position + 1) + ": " + problem + "\n  " + text + "\n  " + " ".repeat(position) + "^");
        this.position = position;
    }

    /** Where the text stops making sense: an index into it, from 0; its length when something is missing at the end. */
    public int position() {
        return position;
    }
}
