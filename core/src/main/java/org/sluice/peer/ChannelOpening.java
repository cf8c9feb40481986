package org.sluice.peer;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import org.sluice.LinkException;
import org.sluice.SluiceException;
import org.sluice.Where;
import org.sluice.wire.Deadline;
import org.sluice.wire.FrameSocket;
import org.sluice.wire.FrameType;

/** From a link that is agreed on to one with channels. */
final class ChannelOpening {
    private static final byte[] NOTHING = {};

    private final AgreedLink agreed;
    private final LinkAttempt attempt;

    ChannelOpening(AgreedLink agreed) {
        this.agreed = agreed;
        this.attempt = agreed.attempt();
    }

    /**
     * Accepts and connects all channels, and waits until the peer has done so too. The peer's READY is waited for meanwhile, so
     * that its death ends the wait at once.
     */
    OpenedLink open() throws IOException {
        attempt.phase(Where.Phase.CHANNELS);
        Deadline deadline = Deadline.in(attempt.plan().deadline());
        CompletableFuture<ChannelManager.Channels> made = begin(deadline);
        if (agreed.settings().confirmed()) {
            awaitPeer(made, agreed.socket().until(deadline), deadline);
        }
        return new OpenedLink(agreed, attempt.get(made, deadline));
    }

    private CompletableFuture<ChannelManager.Channels> begin(Deadline deadline) {
        ChannelManager manager = attempt.manager();
        manager.sendsAreGranted(agreed.settings().confirmed());
        CompletableFuture<ChannelManager.Channels> made = new CompletableFuture<>();
        attempt.agent()
                .execute(
                        () -> {
                            try {
                                manager.open(
                                                agreed.devices(),
                                                agreed.peerHandles(),
                                                agreed.accepts(),
                                                agreed.lost(),
                                                deadline)
                                        .whenComplete((c, e) -> {
                                            if (e == null) {
                                                made.complete(c);
                                            } else {
                                                made.completeExceptionally(e);
                                            }
                                        });
                            } catch (Throwable e) {
                                made.completeExceptionally(e);
                            }
                        },
                        made::completeExceptionally);
        return made;
    }

    private void awaitPeer(CompletableFuture<ChannelManager.Channels> made, FrameSocket s, Deadline deadline)
            throws IOException {
        CompletableFuture<Void> said = made.handle((c, e) -> {
            try {
                if (e == null) {
                    s.write(FrameType.READY, NOTHING);
                } else {
                    s.refuse(String.valueOf(LinkAttempt.cause(e).getMessage()));
                    s.close();
                }
            } catch (IOException broken) {
                // the read below sees it too, and says so
            }
            return null;
        });
        try {
            s.read(FrameType.READY);
        } catch (IOException | SluiceException e) {
            if (made.isCompletedExceptionally()) {
                attempt.get(made, deadline); // throws what really happened
            }
            attempt.cancel("the peer is gone");
            throw new LinkException(
                    attempt.where(),
                    "while channels were being made (" + agreed.channelText() + "): " + e.getMessage(),
                    e);
        }
        attempt.get(said, deadline);
    }
}
