package org.sluice;

/** How chunks that a plugin scattered over bounce-buffer pages are gathered; all three give the same bytes. */
public enum UnpackMode {
    /** One kernel launch for many chunks: the fast one. */
    KERNEL,
    /** One device-to-device copy per fragment: for GPUs whose SMs must stay free, and for finding faults. */
    COPIES,
    /** Fragments through the host: slow, needs nothing; for finding faults. */
    HOST
}
