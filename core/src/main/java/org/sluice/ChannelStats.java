package org.sluice;

/**
 * What a channel has carried so far.
 *
 * @param index its number on the link
 * @param sending whether this side sends on it
 * @param nic the local NIC, {@code peerNic} the peer's
 * @param description both ends as the transport says them
 * @param bytes payload sent, or landed
 * @param chunks as many pieces
 * @param damaged chunks whose checksum was wrong, granted again
 * @param retried chunks taken back because the channel broke
 * @param reconnects how often it was lost and came back
 * @param times where its time went; all zero where instrumentation is off
 */
public record ChannelStats(
        int index,
        boolean sending,
        String nic,
        String peerNic,
        String description,
        long bytes,
        long chunks,
        long damaged,
        long retried,
        long reconnects,
        ChannelTimes times) {}
