package org.sluice.transfer;

import org.jspecify.annotations.Nullable;
import org.sluice.ErrorCode;
import org.sluice.LinkException;
import org.sluice.SluiceException;
import org.sluice.TransferOptions;

/** Whether a link can do what its program asks for: where it cannot, the transfer fails at once, with the reason. */
final class PostingCheck {
    private final EngineSettings settings;
    private final SaidLayouts layouts;

    PostingCheck(EngineSettings settings, SaidLayouts layouts) {
        this.settings = settings;
        this.layouts = layouts;
    }

    /** Whether a transfer to or from memory that the peer lets others name can be begun. */
    boolean reach(PeerPlace place, Completion completion) {
        if (!settings.confirmed()) {
            completion.failed(new LinkException(
                    settings.where(),
                    "a link of the uccl bootstrap has no one-sided transfers; make it with the sluice bootstrap"));
            return false;
        }
        SluiceException why = layouts.refusal(place);
        if (why != null) {
            completion.failed(why);
        }
        return why == null;
    }

    /** Whether these pieces can be moved in this way. */
    boolean move(PieceMap map, TransferOptions options, Completion completion) {
        if (!settings.confirmed()
                && (map.mostChunk() < settings.chunkBytes() || !options.equals(TransferOptions.NONE))) {
            completion.failed(new LinkException(
                    settings.where(),
                    "a link of the uccl bootstrap moves ranges, and takes no options; make it with the sluice"
                            + " bootstrap"));
            return false;
        }
        return true;
    }

    /** Whether one more can be begun. @param failure of the link; null while it lives @param unfinished in this direction */
    boolean begin(@Nullable SluiceException failure, int channels, int unfinished, Completion completion) {
        if (failure != null) {
            completion.failed(failure);
            return false;
        }
        if (channels == 0) {
            completion.failed(new LinkException(
                    settings.where(),
                    "the link has no channels in this direction; the client makes one that goes both ways"));
            return false;
        }
        if (unfinished >= EngineSettings.MAX_TRANSFERS) {
            completion.failed(new LinkException(
                    ErrorCode.LIMIT,
                    settings.where(),
                    unfinished + " transfers are unfinished, more are not taken; wait for some to finish"));
            return false;
        }
        return true;
    }
}
