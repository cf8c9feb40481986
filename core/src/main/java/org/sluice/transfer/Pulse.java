package org.sluice.transfer;

/** When the peer was last heard, on whichever way, and the question to it whether it lives. Belongs to the agent. */
final class Pulse {
    private final EngineSettings settings;
    private final LinkControl control;
    private long heardAt;
    private long askedAt;

    Pulse(EngineSettings settings, LinkControl control) {
        this.settings = settings;
        this.control = control;
    }

    void heard(long now) {
        heardAt = now;
    }

    long heardAt() {
        return heardAt;
    }

    /** A channel has gone silent: whether the peer has too is asked, not more often than is of use. */
    void ask(long now) {
        if (settings.confirmed() && now - askedAt > settings.stallNanos() / 4) {
            askedAt = now;
            control.probe();
        }
    }
}
