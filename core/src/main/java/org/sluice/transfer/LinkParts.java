package org.sluice.transfer;

import org.jspecify.annotations.Nullable;

/**
 * What both halves of a link have in common.
 *
 * @param layouts of the peer's regions, as this side has said them
 * @param credit for notifications, both ways
 * @param notified told of the peer's notifications
 * @param small what brings the bytes of small transfers to and from their frames
 * @param pulse when the peer was heard
 * @param memory what can be pulled from; null where nothing can
 */
record LinkParts(
        EngineSettings settings,
        LinkControl control,
        SaidLayouts layouts,
        NotificationCredit credit,
        NotificationListener notified,
        SmallBytes small,
        Pulse pulse,
        @Nullable PulledMemory memory) {}
