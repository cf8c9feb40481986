package org.sluice.cli.watch;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** The rate of a run that fell below the least that is required, or came back, in flight recordings. */
@Name("org.sluice.Rate")
@Label("Rate against the least required")
@Category("Sluice")
@Description("The payload rate fell below the least required, or is back")
@StackTrace(false)
final class RateEvent extends Event {
    @Label("Below")
    boolean below;

    @Label("GB/s")
    double gbPerSecond;

    @Label("Least GB/s")
    double leastGbPerSecond;

    /** Rates in 10^9 bytes a second. */
    RateEvent(boolean below, double gbPerSecond, double leastGbPerSecond) {
        this.below = below;
        this.gbPerSecond = gbPerSecond;
        this.leastGbPerSecond = leastGbPerSecond;
    }
}
