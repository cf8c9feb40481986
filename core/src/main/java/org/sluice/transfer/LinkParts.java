package org.sluice.transfer;

/**
 * What both halves of a link have in common.
 *
 * @param layouts of the peer's regions, as this side has said them
 * @param credit for notifications, both ways
 * @param notified told of the peer's notifications
 * @param small what brings the bytes of small transfers to and from their frames
 * @param pulse when the peer was heard
 */
record LinkParts(
        EngineSettings settings,
        LinkControl control,
        SaidLayouts layouts,
        NotificationCredit credit,
        NotificationListener notified,
        SmallBytes small,
        Pulse pulse) {}
