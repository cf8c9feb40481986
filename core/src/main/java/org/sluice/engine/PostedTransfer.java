package org.sluice.engine;

import org.jspecify.annotations.Nullable;
import org.sluice.Batch;
import org.sluice.SluiceException;
import org.sluice.TransferOptions;
import org.sluice.stats.TransferCounters;
import org.sluice.transfer.Completion;
import org.sluice.transfer.LinkEngine;
import org.sluice.transfer.PeerPlace;

/** A transfer of a batch: what is to be done, then who hears of its end. */
record PostedTransfer(
        Batch.Kind kind,
        LocalLayout local,
        @Nullable PeerPlace place,
        long bytes,
        TransferOptions options,
        long token,
        TransferCounters counters,
        CompletionQueue ends)
        implements Completion {

    /** On the agent. */
    void begin(LinkEngine engine, long now) {
        PeerPlace at = place;
        switch (kind) {
            case SEND -> engine.send(local.map(), options, this, now);
            case RECEIVE -> engine.receive(local.map(), options, this, now);
            case WRITE, READ -> {
                if (at == null) {
                    throw new IllegalStateException("a one-sided transfer without the peer's side");
                }
                if (kind == Batch.Kind.WRITE) {
                    engine.write(local.map(), at, options, this, now);
                } else {
                    engine.read(local.map(), at, options, this, now);
                }
            }
        }
    }

    @Override
    public void done(long started) {
        long now = System.nanoTime();
        counters.done(bytes, now - started);
        local.release();
        ends.add(token, started, now, null);
    }

    @Override
    public void failed(SluiceException why) {
        counters.failed();
        local.release();
        ends.add(token, 0, System.nanoTime(), why);
    }
}
