package org.sluice;

/** What is spoken on a bootstrap port. */
public enum BootstrapFormat {
    /** Sluice's own: agreement on rails and parameters, authentication, a control connection that stays. */
    SLUICE,
    /** UCCL's bare format: the server sends u32 count and count × 128-byte handles, then nothing more is said. */
    UCCL
}
