package org.sluice.peer;

/**
 * How far a link on its way is: an {@linkplain LinkAttempt attempt} with nothing said, {@linkplain Offered offered} by a client (a
 * {@link LinkRequest} at the server), {@linkplain AgreedLink agreed}, {@linkplain OpenedLink opened}, and then a {@link LinkSession}. Each
 * stage is made from the one before and does not change; what all have in common, and how it is given up, is the attempt.
 */
sealed interface LinkStage permits LinkAttempt, Offered, AgreedLink, OpenedLink {
    LinkAttempt attempt();
}
