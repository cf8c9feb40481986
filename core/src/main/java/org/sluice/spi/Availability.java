package org.sluice.spi;

/**
 * Whether a backend can be used on this machine.
 *
 * @param usable whether it can
 * @param reason what was found (usable), or why not and what to do about it; one sentence, never empty
 */
public record Availability(boolean usable, String reason) {
    public static Availability yes(String found) {
        return new Availability(true, found);
    }

    public static Availability no(String why) {
        return new Availability(false, why);
    }
}
