package org.sluice.cli.matrix;

/**
 * What went between a NIC of this rank and one of its partner's.
 *
 * @param bytes that landed here while it was measured
 * @param segments that this side's kernel sent since the link was made, those sent again included
 * @param retransmitted of them, sent again
 */
record Flow(String nic, String peerNic, long bytes, long segments, long retransmitted) {}
