package org.sluice;

import java.io.Serializable;

/**
 * Where something went wrong, as far as it is known. Its text is how messages begin.
 *
 * @param phase the part of a node's life
 * @param gpu the local GPU, {@link #NONE} where none is concerned
 * @param nic the local NIC, empty where none is concerned
 * @param channel the channel of the link, {@link #NONE} where none is concerned
 * @param peer the peer's address, and its GPU once that is known; empty where none is concerned
 */
public record Where(Phase phase, int gpu, String nic, int channel, String peer) implements Serializable {
    /** In the place of a number. */
    public static final int NONE = -1;

    /** Nothing is known but that the node is being set up. */
    public static final Where NOWHERE = new Where(Phase.SETUP, NONE, "", NONE, "");

    /** The parts of a node's life. */
    public enum Phase {
        /** Settings, GPUs, NICs, ports, regions. */
        SETUP,
        /** Hello, offer and answer. */
        BOOTSTRAP,
        /** Channels are accepted and connected. */
        CHANNELS,
        /** The link is made. */
        LINKED,
        /** The link or the node is being closed. */
        CLOSING
    }

    /** A GPU of this node. */
    public static Where ofGpu(int gpu) {
        return NOWHERE.gpu(gpu);
    }

    public Where phase(Phase other) {
        return new Where(other, gpu, nic, channel, peer);
    }

    public Where gpu(int other) {
        return new Where(phase, other, nic, channel, peer);
    }

    public Where channel(int other, String onNic) {
        return new Where(phase, gpu, onNic, other, peer);
    }

    public Where nic(String other) {
        return new Where(phase, gpu, other, channel, peer);
    }

    public Where peer(String other) {
        return new Where(phase, gpu, nic, channel, other);
    }

    /** This, and of {@code other} what is not known here. */
    public Where or(Where other) {
        return new Where(
                phase == Phase.SETUP ? other.phase : phase,
                gpu == NONE ? other.gpu : gpu,
                nic.isEmpty() ? other.nic : nic,
                channel == NONE ? other.channel : channel,
                peer.isEmpty() ? other.peer : peer);
    }

    /** How a message begins here: {@code "GPU 3, peer 10.0.0.2:4711 (its GPU 3): "}; empty where nothing is known. */
    public String intro() {
        String text = toString();
        return text.isEmpty() ? "" : text + ": ";
    }

    /** {@code GPU 3, channel 5 on eth1, peer 10.0.0.2:4711 (its GPU 3)}. */
    @Override
    public String toString() {
        StringBuilder out = new StringBuilder();
        if (gpu != NONE) {
            out.append("GPU ").append(gpu);
        }
        if (channel != NONE) {
            comma(out).append("channel ").append(channel);
        }
        if (!nic.isEmpty()) {
            (channel != NONE ? out.append(" on ") : comma(out).append("NIC ")).append(nic);
        }
        if (!peer.isEmpty()) {
            comma(out).append("peer ").append(peer);
        }
        return out.toString();
    }

    private static StringBuilder comma(StringBuilder out) {
        return out.isEmpty() ? out : out.append(", ");
    }
}
