package org.sluice.peer;

import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.ErrorCode;
import org.sluice.LinkException;
import org.sluice.Where;
import org.sluice.transfer.Agent;
import org.sluice.transfer.WorkBell;
import org.sluice.wire.ControlConnection;
import org.sluice.wire.ControlStream;
import org.sluice.wire.FrameSocket;
import org.sluice.wire.FrameType;
import org.sluice.wire.Introduction;
import org.sluice.wire.MovableStream;
import org.sluice.wire.Resume;

/**
 * The way that a link's control connection takes: its socket, which the agent watches, and the move to another NIC when it goes
 * silent while there is work. The client looks for the other way, the server lets it in. A connection that the peer's kernel ended is
 * no matter of the way: then the peer's process is gone. Belongs to the agent but for {@link #resume}.
 */
final class ControlWay implements Resumptions.Resumable {
    private static final Logger log = LoggerFactory.getLogger(ControlWay.class);

    /** While there is work the peer is asked so often whether it is there, if it has said nothing meanwhile. */
    private static final long ASK_NANOS = 150_000_000;

    /** Silence, though asked, after which another way is looked for: three questions. A needless move costs a handshake and no more. */
    private static final long MOVE_NANOS = 500_000_000;

    /** An agent with work comes round more often, unless it waits for a CPU. */
    private static final long LATE_NANOS = 250_000_000;

    private static final Duration TAKE_OVER = Duration.ofSeconds(2);

    private final Agent agent;
    private final MovableStream stream;
    private final Introduction link;
    private final Resumptions resumptions;
    private final @Nullable ControlMove move;
    private final Where where;
    private @Nullable Watched watched;
    private boolean broken;
    /** Whether the connection is another than the link was made with. */
    private boolean moved;

    private long askedAt;
    private long lookedAt;
    /** Until then this side did not come round: what was silent meanwhile is not known. */
    private long deafUntil;

    /** What is called when the socket can be read, for whom, and its place in the agent's selector. */
    private record Watched(WorkBell owner, Runnable readable, SelectionKey key) {}

    /**
     * @param move the client's search for another way; null on the server, which is found, and where there is no other way: between
     *     processes of one host
     */
    ControlWay(
            Agent agent,
            MovableStream stream,
            Introduction link,
            Resumptions resumptions,
            @Nullable ControlMove move,
            Where where) {
        this.agent = agent;
        this.stream = stream;
        this.link = link;
        this.resumptions = resumptions;
        this.move = move;
        this.where = where;
    }

    /** From now on the agent is told when there is something to read. */
    void begin(WorkBell owner, Runnable readable) throws IOException {
        watched = new Watched(owner, readable, watch(owner, readable));
        if (move == null) {
            resumptions.add(link, this); // who asks for it has to prove the link's key, so a client's may be there too
        }
    }

    private SelectionKey watch(WorkBell owner, Runnable readable) throws IOException {
        return agent.watch(stream.socket(), SelectionKey.OP_READ, owner, readable);
    }

    /** A full socket buffer wakes the agent when it has room again. */
    void watchWrites(boolean unsent) {
        Watched w = watched;
        if (w == null || !w.key.isValid()) {
            return;
        }
        int wanted = unsent ? SelectionKey.OP_READ | SelectionKey.OP_WRITE : SelectionKey.OP_READ;
        if (w.key.interestOps() != wanted) {
            w.key.interestOps(wanted);
        }
    }

    /** Whether this side looks for another way when this one is dead. */
    boolean canMove() {
        return move != null;
    }

    /** Whether the socket failed and another has not come yet: there is nothing to read from or write to. */
    boolean isBroken() {
        return broken;
    }

    /**
     * Whether the link can wait for another way after this error. A reset or an end comes from the peer's kernel: the way is good and the
     * peer is gone.
     */
    boolean survives(IOException e) {
        String why = String.valueOf(e.getMessage());
        boolean fromPeer = why.contains("reset") || why.contains("Broken pipe") || why.contains("closed");
        if (fromPeer && !survivesEnd()) {
            return false;
        }
        log.warn("{}: the control connection's way broke ({}); waiting for another", where, why);
        hold();
        return true;
    }

    /**
     * Whether the end of the connection may be none of the link's: the server has moved and this side is about to, or this connection
     * is one that the other side gave up before it used it, and it comes with another.
     */
    boolean survivesEnd() {
        boolean another = (move != null && move.isUnsure()) || (moved && !stream.isHeard());
        if (another) {
            hold();
        }
        return another;
    }

    private void hold() {
        broken = true;
        Watched w = watched;
        if (w != null) {
            w.key.cancel();
        }
    }

    /** Looks whether the way still works. @param busy whether transfers are under way, which suffer from silence */
    void look(ControlConnection control, boolean busy, long now) {
        if (now - lookedAt > LATE_NANOS) {
            deafUntil = now;
        }
        lookedAt = now;
        long silent = now - Math.max(control.readAt(), deafUntil);
        if (busy && !broken && silent > ASK_NANOS && now - askedAt > ASK_NANOS) {
            askedAt = now;
            control.probe();
        }
        if (move != null && (broken || (busy && silent > MOVE_NANOS && now - askedAt < MOVE_NANOS))) {
            move.start(stream, this::moved, now);
        }
    }

    private void moved(ControlStream next, long toldTaken, long peerTaken) {
        Watched w = watched;
        if (w == null) {
            throw new LinkException(where, "the link is over");
        }
        w.key.cancel();
        stream.moveTo(next, toldTaken, peerTaken);
        moved = true;
        broken = false;
        try {
            watched = new Watched(w.owner, w.readable, watch(w.owner, w.readable));
        } catch (IOException e) {
            // the new one is gone as well, and the peer with it or on its way with another
            log.info("{}: the control connection's new way broke at once ({})", where, e.toString());
            broken = true;
            return;
        }
        w.owner.ring();
        w.readable.run(); // what came together with the last word of the hellos rings no bell
    }

    /** The client comes over another way: on the thread that received it, which waits for the agent. */
    @Override
    public void resume(FrameSocket socket, Resume resume, Introduction on) throws IOException {
        if (!resume.isProven(true, link, on)) {
            throw new LinkException(
                    ErrorCode.REFUSED, where, "whoever came from " + socket.peer() + " does not have the link's key");
        }
        try {
            boolean ignored = agent.call(
                            "the control connection's move", () -> takeOver(socket, resume, on), TAKE_OVER, late -> {})
                    .get(TAKE_OVER.toMillis() * 2, TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException e) {
            throw new IOException("the agent did not take the new connection: " + e, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
        log.warn("{}: the control connection goes on with {}", where, socket.peer());
    }

    private boolean takeOver(FrameSocket socket, Resume resume, Introduction on) throws IOException {
        if (watched == null || !stream.canGoOnAt(resume.taken())) {
            throw new LinkException(where, "the control connection cannot go on at byte " + resume.taken());
        }
        long taken = stream.taken();
        socket.write(FrameType.RESUME, Resume.of(false, link, taken, on).encode());
        socket.stream().socket().configureBlocking(false);
        moved(socket.stream(), taken, resume.taken());
        return true;
    }

    /** The link is over: the agent is told nothing more, and nobody can go on with it. Idempotent. */
    void end() {
        Watched w = watched;
        if (w != null) {
            w.key.cancel(); // its socket may stay open a while for its last words
        }
        watched = null;
        resumptions.remove(link);
    }
}
