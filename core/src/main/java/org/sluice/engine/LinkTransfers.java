package org.sluice.engine;

import java.nio.IntBuffer;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.sluice.Batch;
import org.sluice.ClosedException;
import org.sluice.Completions;
import org.sluice.ErrorCode;
import org.sluice.LocalSide;
import org.sluice.Pieces;
import org.sluice.RemoteLayout;
import org.sluice.RemoteSide;
import org.sluice.SluiceException;
import org.sluice.Transfer;
import org.sluice.TransferOptions;
import org.sluice.TransferStats;
import org.sluice.peer.LinkSession;
import org.sluice.stats.TransferCounters;
import org.sluice.stats.TransferEvent;
import org.sluice.transfer.Agent;
import org.sluice.transfer.ChunkedTransfer;
import org.sluice.transfer.Completion;
import org.sluice.transfer.LinkEngine;
import org.sluice.transfer.PeerPlace;
import org.sluice.transfer.PieceMap;
import org.sluice.transfer.PreparedPlace;
import org.sluice.transfer.SelectedPieces;
import org.sluice.transfer.SelectionPool;

/** A link's transfers as its program posts them and hears of their ends. Any thread may use it. */
final class LinkTransfers {
    private final EngineLink link;
    private final Agent agent;
    private final Set<PendingTransfer> pending = ConcurrentHashMap.newKeySet();
    private final TransferCounters counters = new TransferCounters();
    private final SelectionPool selections = new SelectionPool();
    private final CompletionQueue ends = new CompletionQueue();
    /** Set where the agent does not come back. */
    private final AtomicReference<@Nullable SluiceException> abandoned = new AtomicReference<>();

    LinkTransfers(EngineLink link, Agent agent) {
        this.link = link;
        this.agent = agent;
    }

    TransferStats snapshot() {
        return counters.snapshot();
    }

    /** The agent does not come back: whoever waits hears it. */
    void abandon(SluiceException why) {
        abandoned.set(why);
        pending.forEach(t -> t.abandon(why));
        ends.abandon(why);
    }

    private interface EngineCall {
        @Nullable ChunkedTransfer run(LinkEngine engine, PieceMap map, Completion completion);
    }

    Transfer send(LocalSide from, TransferOptions options) {
        return start("send", from, false, (engine, map, done) -> engine.send(map, options, done, System.nanoTime()));
    }

    Transfer receive(LocalSide to, TransferOptions options) {
        return start("receive", to, true, (engine, map, done) -> engine.receive(map, options, done, System.nanoTime()));
    }

    Transfer write(LocalSide from, RemoteSide to, TransferOptions options) {
        sameLength(from, to);
        PeerPlace place = PreparedRemote.of(to, link);
        return start(
                "write",
                from,
                false,
                (engine, map, done) -> engine.write(map, place, options, done, System.nanoTime()));
    }

    Transfer read(LocalSide to, RemoteSide from, TransferOptions options) {
        sameLength(to, from);
        PeerPlace place = PreparedRemote.of(from, link);
        return start(
                "read", to, true, (engine, map, done) -> engine.read(map, place, options, done, System.nanoTime()));
    }

    private static void sameLength(LocalSide local, RemoteSide remote) {
        if (local.bytes() != remote.bytes() || local.bytes() < 0) {
            throw new IllegalArgumentException("the local layout has " + local.bytes() + " bytes, the remote one "
                    + remote.bytes() + "; they must have the same");
        }
    }

    private Transfer start(String kind, LocalSide side, boolean target, EngineCall call) {
        LinkSession session = link.session();
        LocalLayout local = LocalLayout.of(side, link, target);
        PendingTransfer transfer = new PendingTransfer(session.where(), side.bytes());
        pending.add(transfer);
        TransferEvent event = new TransferEvent(link.gpu(), kind, link.peer(), side.bytes());
        Completion completion = transfer.completion(local, counters, event, () -> pending.remove(transfer));
        transfer.cancelsWith(why -> onAgent(engine -> transfer.cancel(engine, why)));
        agent.execute(
                () -> session.with(() -> transfer.begun(call.run(session.engine(), local.map(), completion))),
                completion::failed);
        SluiceException why = abandoned.get();
        if (why != null) {
            transfer.abandon(why); // the agent may never come to it
        }
        return transfer;
    }

    /** Whether transfers that this side's program asked for are under way. */
    boolean isBusy() {
        return !pending.isEmpty() || ends.isExpecting();
    }

    /** Posts all of a batch, or where one of them cannot be, none. */
    void post(Batch batch) {
        PostedTransfer[] all = new PostedTransfer[batch.size()];
        for (int i = 0; i < all.length; i++) {
            try {
                all[i] = posted(batch, i);
            } catch (RuntimeException e) {
                while (--i >= 0) {
                    all[i].local().release();
                }
                throw e;
            }
        }
        batch.clear();
        ends.expect(all.length);
        LinkSession session = link.session();
        agent.execute(() -> session.with(() -> begin(all, session.engine())), why -> {
            for (PostedTransfer t : all) {
                t.failed(why);
            }
        });
    }

    private static void begin(PostedTransfer[] all, LinkEngine engine) {
        long now = System.nanoTime();
        for (PostedTransfer t : all) {
            t.begin(engine, now);
        }
    }

    private PostedTransfer posted(Batch batch, int i) {
        Batch.Kind kind = batch.kind(i);
        LocalSide side = batch.local(i);
        RemoteSide remote = batch.remote(i);
        if (remote != null) {
            sameLength(side, remote);
        }
        LocalLayout local = LocalLayout.of(side, link, kind == Batch.Kind.RECEIVE || kind == Batch.Kind.READ);
        PeerPlace place = remote == null ? null : PreparedRemote.of(remote, link);
        local.use();
        return new PostedTransfer(kind, local, place, side.bytes(), batch.options(i), batch.token(i), counters, ends);
    }

    int poll(Completions into) {
        return ends.poll(into);
    }

    int poll(Completions into, Duration atMost) {
        try {
            return ends.poll(into, atMost);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ClosedException(
                    ErrorCode.INTERRUPTED, link.session().where(), "interrupted while waiting for transfers", e);
        }
    }

    PreparedRemote prepare(RemoteLayout layout) {
        PreparedPlace place = new PreparedPlace(layout);
        onAgent(engine -> engine.prepare(place));
        return new PreparedRemote(link, layout, place);
    }

    /** The peer need not keep it any more. */
    void release(PreparedPlace place) {
        onAgent(engine -> engine.close(place));
    }

    /** Some pieces of a prepared layout of this link. @throws IndexOutOfBoundsException when one is not there */
    SelectedPieces selected(Pieces of, IntBuffer indices) {
        if (indices.remaining() > Pieces.MOST) {
            throw new IllegalArgumentException("a selection has at most " + Pieces.MOST + " pieces, this one has "
                    + indices.remaining() + "; use several transfers");
        }
        SelectedPieces selected = selections.take(of, indices.remaining());
        if (!selected.add(indices.duplicate())) {
            selected.release();
            throw new IndexOutOfBoundsException(
                    "a selection names a piece that is not one of " + SelectedPieces.countOf(of));
        }
        return selected;
    }

    /** Has the engine told something that nobody waits for. */
    void onAgent(Consumer<LinkEngine> call) {
        LinkSession session = link.session();
        agent.execute(() -> session.with(() -> call.accept(session.engine())));
    }
}
