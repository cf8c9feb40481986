package org.sluice.stats;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** One GPU's part of a phase in which links are made, in flight recordings. */
@Name("org.sluice.Phase")
@Label("Phase")
@Category("Sluice")
@Description("One GPU's part of a phase in which links are made")
@StackTrace(false)
public final class PhaseEvent extends Event {
    @Label("Phase")
    String phase;

    @Label("GPU")
    int gpu;

    public PhaseEvent(String phase, int gpu) {
        this.phase = phase;
        this.gpu = gpu;
    }
}
