package org.sluice;

/**
 * A step in the making of the links of all GPUs, told as it happens on the thread that called {@link Node#acceptAll} or
 * {@link Node#connectAll}.
 */
public sealed interface LinkingStep {
    /** The phases, in order: a server listens, bootstraps and accepts; a client bootstraps and connects. */
    enum Phase {
        LISTEN,
        BOOTSTRAP,
        ACCEPT,
        CONNECT
    }

    /** A phase begins for all GPUs. @param server whether this side is the server */
    record Begun(boolean server, Phase phase) implements LinkingStep {}

    /** A GPU is through with a phase. @param channels how many channels it listens on, has handles of, accepted or connected */
    record GpuDone(boolean server, Phase phase, int gpu, int channels) implements LinkingStep {}

    /** A phase is over for all GPUs. */
    record Ended(boolean server, Phase phase) implements LinkingStep {}
}
