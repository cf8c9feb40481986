package org.sluice.wire;

import org.jspecify.annotations.Nullable;

/** What a CREDIT frame gives credit for. */
public enum CreditKind {
    NOTES(0),
    REGIONS(1);

    /** On the wire. */
    public final int code;

    CreditKind(int code) {
        this.code = code;
    }

    static @Nullable CreditKind of(int code) {
        return code == 0 ? NOTES : code == 1 ? REGIONS : null;
    }
}
