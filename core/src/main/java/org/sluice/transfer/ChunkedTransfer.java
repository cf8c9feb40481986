package org.sluice.transfer;

import org.jspecify.annotations.Nullable;
import org.sluice.SluiceException;
import org.sluice.TransferOptions;

/** One message and how far it is: the part that sender and receiver have in common. Belongs to the agent. */
public abstract sealed class ChunkedTransfer permits InboundTransfer, OutboundTransfer {
    /** Its number on the wire, once it is announced. */
    long id;

    final PieceMap map;
    final long length;
    final Completion completion;
    final TransferOptions options;
    /** Where its bytes lie at the peer, for one-sided transfers that this side asked for. */
    final @Nullable PeerPlace remote;

    long startedAt;

    /** Why it is to end early. */
    EndReason ending = EndReason.NONE;

    boolean endedByPeer;

    /** Whether its end was told. */
    boolean over;

    /** Sent with it by the peer, for this side's program. */
    byte @Nullable [] notification;

    ChunkedTransfer(long id, PieceMap map, @Nullable PeerPlace remote, TransferOptions options, Completion completion) {
        this.id = id;
        this.remote = remote;
        this.options = options;
        this.map = map;
        this.length = map.length;
        this.completion = completion;
    }

    final void done() {
        over = true;
        completion.done(startedAt);
    }

    final void failed(SluiceException why) {
        over = true;
        completion.failed(why);
    }
}
