package org.sluice.simulation;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.sluice.SluiceException;
import org.sluice.transfer.ChunkedTransfer;
import org.sluice.transfer.Completion;
import org.sluice.transfer.MemoryBlock;

/** A transfer as its two users see it, and what must hold when either is told of its end. */
final class Message {
    /** How it comes about. */
    enum Kind {
        SEND,
        WRITE,
        READ
    }

    final int number;
    final Kind kind;
    final Side from;
    final Side to;
    final Place source;
    final Place target;
    final int sendBytes;
    final int receiveBytes;
    final boolean confirmed;
    final End sending;
    final End receiving;
    /** What the target's program is told; null for nothing. */
    byte @Nullable [] notification;

    int told;
    /** Whether it may have been ended early. */
    boolean mayEnd;

    Message(
            int number,
            Kind kind,
            Side from,
            Side to,
            Place source,
            Place target,
            int sendBytes,
            int receiveBytes,
            boolean confirmed) {
        this.number = number;
        this.kind = kind;
        this.from = from;
        this.to = to;
        this.source = source;
        this.target = target;
        this.sendBytes = sendBytes;
        this.receiveBytes = receiveBytes;
        this.confirmed = confirmed;
        this.sending = new End(true);
        this.receiving = new End(false);
    }

    /** One user's end. */
    final class End implements Completion {
        private final boolean sends;
        boolean done;
        /** What can be cancelled; null before it began. */
        @Nullable ChunkedTransfer begun;

        @Nullable SluiceException failure;

        End(boolean sends) {
            this.sends = sends;
        }

        boolean isOver() {
            return done || failure != null;
        }

        @Override
        public void done(long startedAt) {
            once();
            done = true;
            if (sends ? confirmed : true) {
                mustHaveArrived();
            }
            over();
        }

        @Override
        public void failed(SluiceException why) {
            once();
            failure = why;
            over();
        }

        private void once() {
            if (isOver()) {
                throw new AssertionError(Message.this + " ended twice for its " + (sends ? "sender" : "receiver"));
            }
        }

        /** From here on the memory is its owner's, who frees it. A region that a peer named is let go elsewhere. */
        private void over() {
            boolean mine = kind == Kind.SEND || (kind == Kind.WRITE) == sends;
            if (mine) {
                for (MemoryBlock block : (sends ? source : target).blocks) {
                    ((Space.Block) block.memory())
                            .mustBeIdle(Message.this + " ended for its " + (sends ? "sender" : "receiver"));
                    (sends ? from : to).freeLater(block);
                }
            }
        }
    }

    /** The target's program is told. */
    void notified(byte[] bytes) {
        if (++told > 1 || !Arrays.equals(bytes, notification)) {
            throw new AssertionError(this + ": its notification came " + told + " times, or is another");
        }
        mustHaveArrived();
    }

    /** Who is told. */
    Side target() {
        return kind == Kind.READ ? from : to;
    }

    private void mustHaveArrived() {
        int wrong = Arrays.mismatch(source.read(), target.read());
        if (wrong >= 0) {
            throw new AssertionError(this + " is said to be done, but its byte " + wrong + " is wrong");
        }
    }

    /** The end at the side that asked; a write's receiver and a read's sender are served by their engine alone. */
    boolean isOver() {
        return switch (kind) {
            case SEND -> sending.isOver() && receiving.isOver();
            case WRITE -> sending.isOver();
            case READ -> receiving.isOver();
        };
    }

    boolean succeeded() {
        return switch (kind) {
            case SEND -> sending.done && receiving.done;
            case WRITE -> sending.done;
            case READ -> receiving.done;
        };
    }

    @Override
    public String toString() {
        return kind + " " + number + " of " + sendBytes + " bytes from " + from + " to " + to;
    }
}
