package org.sluice.spi;

/** Where memory lives, and so who may touch it. */
public enum MemoryKind {
    /** Plain or pinned host memory: the CPU and kernel sockets may read and write it. */
    HOST,
    /** CUDA device memory: an address only the GPU, and plugins that say so, may use. */
    CUDA,
    /** Device memory exported as a Linux dmabuf descriptor. */
    DMABUF
}
