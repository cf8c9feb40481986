/**
 * How the processes of a job meet without anything but one of them: rank, world size and meeting place from whatever launcher
 * started them ({@link org.sluice.rendezvous.Launch}), a {@link org.sluice.rendezvous.MeetingPlace} at rank 0, and every rank's
 * {@link org.sluice.rendezvous.Group}, which knows where all the others are and waits for them at each step.
 */
@NullMarked
package org.sluice.rendezvous;

import org.jspecify.annotations.NullMarked;
