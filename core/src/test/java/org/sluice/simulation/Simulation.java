package org.sluice.simulation;

import java.nio.ByteBuffer;
import java.nio.IntBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.Random;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.sluice.CancelledException;
import org.sluice.DeadlineException;
import org.sluice.LengthMismatchException;
import org.sluice.LinkException;
import org.sluice.TransferOptions;
import org.sluice.spi.CopyQueue;
import org.sluice.stats.ChannelCounters;
import org.sluice.transfer.ChunkedTransfer;
import org.sluice.transfer.EndReason;
import org.sluice.transfer.InboundEnd;
import org.sluice.transfer.LinkEngine;
import org.sluice.transfer.OutboundEnd;
import org.sluice.transfer.PeerPlace;
import org.sluice.transfer.PieceMap;
import org.sluice.transfer.PreparedPlace;
import org.sluice.transfer.SelectedPieces;
import org.sluice.transfer.SelectionPool;
import org.sluice.transfer.StagingPool;
import org.sluice.transfer.StagingShare;

/** Two engines and all that lies between them, turned in an order that the seed decides. */
final class Simulation {
    /** Turns after which a transfer that has not ended never will. */
    private static final int MOST_ROUNDS = 200_000;

    private final long seed;
    private final Random random;
    private final Scenario scenario;
    private final Space space = new Space();
    private final Side left;
    private final Side right;
    private final Direction there;
    private final Direction back;
    private final List<Message> messages = new ArrayList<>();
    private final SelectionPool selections = new SelectionPool();
    private final ArrayDeque<Runnable> leftCalls = new ArrayDeque<>();
    private final ArrayDeque<Runnable> rightCalls = new ArrayDeque<>();
    private int cutsLeft;
    private int endsLeft;
    private long now = 1;

    Simulation(long seed) {
        this(seed, Scenario.draw(new Random(seed)));
    }

    Simulation(long seed, Scenario scenario) {
        this.seed = seed;
        this.scenario = scenario;
        this.random = new Random(~seed);
        this.cutsLeft = scenario.cuts();
        this.endsLeft = scenario.ends();
        this.left = new Side("left", new SimulatedGpu(space, random, "left GPU"), scenario, new Mailbox(() -> now));
        this.right = new Side("right", new SimulatedGpu(space, random, "right GPU"), scenario, new Mailbox(() -> now));
        left.tells(bytes -> told(left, bytes));
        right.tells(bytes -> told(right, bytes));
        this.there = new Direction(left, right);
        this.back = new Direction(right, left);
        there.connect();
        back.connect();
        for (int n = 0; n < scenario.sends(); n++) {
            send(random.nextBoolean() ? there : back, scenario.mismatches() && n == scenario.sends() - 1);
        }
        for (int n = 0; n < scenario.oneSided(); n++) {
            oneSided(random.nextBoolean() ? there : back, random.nextBoolean());
        }
    }

    /** The channels of one direction, each in its latest life. */
    private final class Direction {
        final Side from;
        final Side to;
        final Wire[] wires = new Wire[scenario.channels()];
        /** All channels of the direction share a few, as all links of a GPU do. */
        final @Nullable StagingShare sendSlots;

        final @Nullable StagingShare receiveSlots;
        /** Old lives that one end may still use. */
        final List<Wire> old = new ArrayList<>();

        Direction(Side from, Side to) {
            this.from = from;
            this.to = to;
            this.sendSlots = scenario.staged() ? slots(from.gpu, from.toHost) : null;
            this.receiveSlots = scenario.staged() && !scenario.scatters() ? slots(to.gpu, to.toGpu) : null;
        }

        private StagingShare slots(SimulatedGpu gpu, CopyQueue queue) {
            StagingPool pool = new StagingPool(gpu, () -> queue, (long) scenario.slots() * scenario.chunkBytes());
            return pool.share(() -> {}, "the peer", scenario.chunkBytes(), scenario.slots());
        }

        void connect() {
            for (int c = 0; c < wires.length; c++) {
                openSender(c, 0);
                openReceiver(wires[c]);
            }
        }

        private void openSender(int c, int generation) {
            Wire w = new Wire(
                    c,
                    generation,
                    space,
                    random,
                    scenario.faults(),
                    1 + random.nextInt(scenario.chunkBytes() * 3),
                    scenario.scatters(),
                    scenario.voids(),
                    scenario.chunkBytes());
            wires[c] = w;
            from.engine()
                    .open(new OutboundEnd(c, generation, w.sender, new ChannelCounters(), sendSlots, scenario.lists()));
        }

        private void openReceiver(Wire w) {
            w.opened = true;
            to.engine()
                    .open(new InboundEnd(
                            w.index,
                            w.generation,
                            w.receiver,
                            new ChannelCounters(),
                            receiveSlots,
                            scenario.scatters() ? to.unpack : null,
                            scenario.lists()));
        }

        /** As a link that reconnects does: the sender's end opens first, then tells the receiver. */
        void reconnect() {
            for (int c = 0; c < wires.length; c++) {
                Wire w = wires[c];
                if (w.isDead()
                        && random.nextInt(8) == 0
                        && from.engine().failure() == null
                        && from.engine().isDrained(true, c)) {
                    old.add(w);
                    openSender(c, w.generation + 1);
                    Wire fresh = wires[c];
                    from.says.tell(peer -> openReceiver(fresh));
                }
            }
        }

        int working() {
            int n = 0;
            for (Wire w : wires) {
                n += w.opened && !w.isBroken() ? 1 : 0;
            }
            return n;
        }

        void progress() {
            for (Wire w : wires) {
                w.noticeClosing();
                if (random.nextInt(3) != 0) {
                    w.progress();
                }
            }
        }
    }

    private int length() {
        return switch (random.nextInt(6)) {
            case 0 -> 0;
            case 1 -> 1;
            case 2 -> scenario.chunkBytes() * (1 + random.nextInt(3));
            case 3 -> scenario.chunkBytes() * scenario.channels() + 1;
            default -> random.nextInt(scenario.chunkBytes() * 20 + 1);
        };
    }

    private Place place(Side side, String what, int bytes) {
        return Place.draw(side, space, random, what, bytes, true, scenario.confirmed());
    }

    /** What a message has besides its bytes, drawn for the side that begins it. */
    private TransferOptions options(Message m) {
        TransferOptions o = TransferOptions.NONE;
        if (!scenario.confirmed()) {
            return o;
        }
        if (random.nextInt(3) == 0) {
            byte[] bytes = new byte[4 + random.nextInt(random.nextInt(10) == 0 ? 60_000 : 20)];
            random.nextBytes(bytes);
            ByteBuffer.wrap(bytes).putInt(m.number);
            m.notification = bytes;
            o = o.notification(bytes);
        }
        return deadline(m, o.priority(random.nextInt(20) == 0 ? random.nextInt(8) : 0));
    }

    private TransferOptions deadline(Message m, TransferOptions o) {
        if (endsLeft > 0 && random.nextInt(6) == 0) {
            endsLeft--;
            m.mayEnd = true;
            return o.deadline(Duration.ofNanos(1 + random.nextInt(60_000_000)));
        }
        return o;
    }

    /** The program at either end gives one up, wherever it is. */
    private void cancelOne() {
        Message m = messages.get(random.nextInt(messages.size()));
        boolean sender = random.nextBoolean();
        ChunkedTransfer begun = (sender ? m.sending : m.receiving).begun;
        if (begun != null) {
            endsLeft--;
            m.mayEnd = true;
            Side side = sender ? m.from : m.to;
            EndReason why = random.nextBoolean() ? EndReason.CANCELLED : EndReason.DEADLINE;
            side.with(() -> side.engine().cancel(begun, why));
        }
    }

    /** The programs take what they were told, sooner or later. */
    private void take(Side side, int chance) {
        while (!side.notified.isEmpty() && random.nextInt(chance) == 0) {
            Side.Told told = side.notified.remove();
            side.with(() -> side.engine().taken(told.bytes()));
        }
    }

    private void told(Side side, byte[] bytes) {
        Message m = messages.get(ByteBuffer.wrap(bytes).getInt());
        if (m.target() != side) {
            throw new AssertionError(m + ": " + side + " was told");
        }
        m.notified(bytes);
    }

    private ArrayDeque<Runnable> calls(Side side) {
        return side == left ? leftCalls : rightCalls;
    }

    private void send(Direction d, boolean mismatch) {
        int bytes = length();
        int other = mismatch ? bytes + 1 + random.nextInt(10) : bytes;
        int n = messages.size();
        Place source = place(d.from, "source " + n, bytes);
        Place target = place(d.to, "target " + n, other);
        Message m = new Message(
                n,
                Message.Kind.SEND,
                d.from,
                d.to,
                source,
                target,
                bytes,
                other,
                scenario.confirmed() && !scenario.faults().lies());
        messages.add(m);
        OptionalLong tag = scenario.confirmed() && random.nextInt(3) == 0
                ? OptionalLong.of(random.nextInt(3))
                : OptionalLong.empty();
        TransferOptions send = tagged(options(m), tag);
        TransferOptions receive =
                scenario.confirmed() ? tagged(deadline(m, TransferOptions.NONE), tag) : TransferOptions.NONE;
        PieceMap out = map(source, false);
        PieceMap in = map(target, true);
        calls(d.from).add(() -> m.sending.begun = d.from.engine().send(out, send, m.sending, now));
        calls(d.to).add(() -> m.receiving.begun = d.to.engine().receive(in, receive, m.receiving, now));
    }

    private static TransferOptions tagged(TransferOptions o, OptionalLong tag) {
        return tag.isPresent() ? o.tag(tag.getAsLong()) : o;
    }

    private void oneSided(Direction d, boolean write) {
        int bytes = length();
        int n = messages.size();
        Place source = place(d.from, "source " + n, bytes);
        Place target = place(d.to, "target " + n, bytes);
        Message m = new Message(
                n,
                write ? Message.Kind.WRITE : Message.Kind.READ,
                d.from,
                d.to,
                source,
                target,
                bytes,
                bytes,
                !scenario.faults().lies());
        messages.add(m);
        long key = 1000L + 10L * n;
        Place there = write ? target : source;
        for (int i = 0; i < there.blocks.size(); i++) {
            (write ? d.to : d.from).share(key + i, there.blocks.get(i));
        }
        TransferOptions options = options(m);
        PieceMap here = map(write ? source : target, !write);
        Side asker = write ? d.from : d.to;
        PeerPlace remote = place(asker, there, key);
        calls(asker)
                .add(
                        write
                                ? () -> m.sending.begun = d.from.engine().write(here, remote, options, m.sending, now)
                                : () -> m.receiving.begun =
                                        d.to.engine().read(here, remote, options, m.receiving, now));
        closePrepared(asker, remote);
    }

    /** Where a message lies on the side that asks: as it was drawn, or as a selection of something prepared. */
    private PieceMap map(Place place, boolean target) {
        return scenario.prepares() && random.nextBoolean() ? place.selected(random, target) : place.map;
    }

    /** Where it lies at the peer, as the peer is told: at once, or prepared before, whole or by a selection. */
    private PeerPlace place(Side asker, Place there, long key) {
        if (!scenario.prepares() || random.nextBoolean()) {
            return new PeerPlace.Listed(there.remote(key));
        }
        boolean whole = random.nextInt(3) == 0;
        Place.Prepared p = there.prepared(random);
        PreparedPlace prepared = new PreparedPlace(there.remote(key, whole ? there.pieces : p.pieces()));
        calls(asker).add(() -> asker.engine().prepare(prepared));
        if (whole) {
            return new PeerPlace.Whole(prepared);
        }
        SelectedPieces selected = selections.take(p.pieces(), p.indices().length);
        selected.add(IntBuffer.wrap(p.indices()));
        return new PeerPlace.Part(prepared, selected);
    }

    /** Sooner or later, while its transfer is under way or after it. */
    private void closePrepared(Side asker, PeerPlace place) {
        switch (place) {
            case PeerPlace.Listed _ -> {}
            case PeerPlace.Whole w -> calls(asker).add(() -> asker.engine().close(w.of()));
            case PeerPlace.Part p -> calls(asker).add(() -> asker.engine().close(p.of()));
        }
    }

    /**
     * Runs while the right side is told what its peer never said. What must hold: only Sluice's own exceptions, which end the
     * link; when it has ended every transfer has, and nobody uses memory.
     */
    void runWithLies(Consumer<LinkEngine> lie) {
        try {
            int lies = 0;
            for (int n = 0; n < 800 && !isOver(); n++) {
                round();
                if (random.nextInt(20) == 0) {
                    lies++;
                    right.with(() -> lie.accept(right.engine()));
                }
            }
            // what waits for a peer that was lied about may wait for ever: the users give up
            leftCalls.clear();
            rightCalls.clear();
            LinkException over = new LinkException("the users give up after " + lies + " lies");
            left.engine().fail(over);
            right.engine().fail(over);
            settle();
            if (!space.claims().isEmpty()) {
                throw new AssertionError("the link has ended, but there is still " + space.claims());
            }
            if (left.engine().unfinished() + right.engine().unfinished() > 0) {
                throw new AssertionError("the link has ended, but transfers have not");
            }
            for (Message m : messages) {
                if (m.kind != Message.Kind.SEND) {
                    mustBeReleased(m.kind == Message.Kind.WRITE ? m.to : m.from, m);
                }
            }
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError("seed " + seed + " with lies, " + scenario + ": " + e.getMessage(), e);
        }
    }

    /** How many transfers were cancelled or had a deadline. */
    int endedEarly() {
        return scenario.ends() - endsLeft;
    }

    /** Runs to the end and checks what must hold there. */
    void run() {
        try {
            int round = 0;
            while (!isOver()) {
                if (++round > MOST_ROUNDS) {
                    throw new AssertionError("a transfer hangs: " + unfinished());
                }
                round();
            }
            settle();
            check();
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError("seed " + seed + ", " + scenario + ": " + e.getMessage(), e);
        }
    }

    private void round() {
        now += random.nextInt(1_000_000);
        for (Side side : List.of(left, right)) {
            ArrayDeque<Runnable> calls = calls(side);
            if (!calls.isEmpty() && random.nextInt(4) == 0) {
                side.with(calls.remove());
            }
            if (random.nextInt(4) != 0) {
                side.turn(now);
            }
            Side peer = side == left ? right : left;
            for (int n = random.nextInt(6); n > 0 && !side.says.isEmpty(); n--) {
                peer.with(() -> side.says.deliverOne(peer));
            }
        }
        take(left, 3);
        take(right, 3);
        if (endsLeft > 0 && random.nextInt(15) == 0) {
            cancelOne();
        }
        there.progress();
        back.progress();
        if (cutsLeft > 0 && random.nextInt(10) == 0) {
            cut(random.nextBoolean() ? there : back);
        }
        if (scenario.reconnects()) {
            there.reconnect();
            back.reconnect();
        }
    }

    private void cut(Direction d) {
        // where the link must survive and nothing comes back, one channel always does
        if (scenario.mustSucceed() && !scenario.reconnects() && d.working() < 2) {
            return;
        }
        Wire w = d.wires[random.nextInt(d.wires.length)];
        if (!w.isBroken()) {
            cutsLeft--;
            int ends = random.nextInt(scenario.confirmed() ? 4 : 3) + (scenario.confirmed() ? 0 : 1);
            if (ends == 0) {
                w.freeze();
            } else {
                w.breakEnds((ends & 1) != 0, (ends & 2) != 0);
            }
        }
    }

    private boolean isOver() {
        if (!leftCalls.isEmpty() || !rightCalls.isEmpty()) {
            return false;
        }
        for (Message m : messages) {
            if (!m.isOver()) {
                return false;
            }
        }
        return left.engine().unfinished() + right.engine().unfinished() == 0;
    }

    private List<Message> unfinished() {
        return messages.stream().filter(m -> !m.isOver()).toList();
    }

    /** Lets the last letters and turns happen, so that what is left over is left over for good. */
    private void settle() {
        for (int n = 0; n < 200; n++) {
            now += 1_000_000;
            for (Side side : List.of(left, right)) {
                Side peer = side == left ? right : left;
                while (!side.says.isEmpty()) {
                    peer.with(() -> side.says.deliverOne(peer));
                }
                side.turn(now);
            }
            there.progress();
            back.progress();
        }
    }

    private void check() {
        if (!space.claims().isEmpty()) {
            throw new AssertionError("nothing is to be done, but there is still " + space.claims());
        }
        boolean linkLost = left.engine().failure() != null || right.engine().failure() != null;
        for (Message m : messages) {
            m.target.mustBeUntouchedElsewhere(m.toString());
            if (!linkLost && m.notification != null && m.told != (m.succeeded() ? 1 : 0)) {
                throw new AssertionError(m + (m.succeeded() ? " has succeeded" : " has failed")
                        + ", its notification was told " + m.told + " times");
            }
            if (m.mayEnd && !linkLost) {
                mustEndAlike(m);
                continue;
            }
            if (scenario.mustSucceed() && !m.succeeded()) {
                throw new AssertionError(m + " failed: " + m.sending.failure + ", " + m.receiving.failure);
            }
            if (m.kind == Message.Kind.SEND && m.sendBytes != m.receiveBytes && !linkLost) {
                if (!(m.sending.failure instanceof LengthMismatchException)
                        || !(m.receiving.failure instanceof LengthMismatchException)) {
                    throw new AssertionError(m + " has two lengths, but ended with " + m.sending.failure + " and "
                            + m.receiving.failure);
                }
            }
            if (!m.succeeded() && !linkLost && m.sendBytes == m.receiveBytes) {
                throw new AssertionError(m + " failed on a link that lives");
            }
            if (m.kind == Message.Kind.WRITE) {
                mustBeReleased(m.to, m);
            } else if (m.kind == Message.Kind.READ) {
                mustBeReleased(m.from, m);
            }
        }
    }

    /** One that was ended early, or nearly so: both sides are told the same, and why by its type. */
    private static void mustEndAlike(Message m) {
        for (Message.End end : List.of(m.sending, m.receiving)) {
            boolean known = end.failure == null
                    || end.failure instanceof CancelledException
                    || end.failure instanceof DeadlineException
                    || end.failure instanceof LengthMismatchException;
            if (!known) {
                throw new AssertionError(m + " may have been ended early, but failed with " + end.failure);
            }
        }
        if (m.kind == Message.Kind.SEND && m.sending.done != m.receiving.done) {
            throw new AssertionError(m + " ended " + m.sending.failure + " here and " + m.receiving.failure + " there");
        }
        if (m.kind != Message.Kind.SEND) {
            mustBeReleased(m.kind == Message.Kind.WRITE ? m.to : m.from, m);
        }
    }

    private static void mustBeReleased(Side owner, Message m) {
        Place there = m.kind == Message.Kind.WRITE ? m.target : m.source;
        for (int i = 0; i < there.blocks.size(); i++) {
            if (owner.region(1000L + 10L * m.number + i).uses != 0) {
                throw new AssertionError("a region of " + m + " is still held");
            }
        }
    }
}
