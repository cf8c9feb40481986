package org.sluice.simulation;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.IntBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.function.Consumer;
import org.sluice.RemoteLayout;
import org.sluice.RemoteRegion;
import org.sluice.TransferRefusal;
import org.sluice.transfer.Announcement;
import org.sluice.transfer.EndReason;
import org.sluice.transfer.LinkControl;
import org.sluice.transfer.LinkEngine;

/** What one side says to the other over the control connection: in order, delivered when the simulation says so. */
final class Mailbox implements LinkControl {
    private final ArrayDeque<Consumer<Side>> letters = new ArrayDeque<>();
    private final Clock clock;
    /** What small bytes come in: used again, and so spoiled, after the read that they came with. */
    private MemorySegment passing = MemorySegment.NULL;

    /** Virtual nanoseconds. */
    interface Clock {
        long now();
    }

    Mailbox(Clock clock) {
        this.clock = clock;
    }

    private void say(Consumer<LinkEngine> what) {
        letters.add(side -> what.accept(side.engine()));
    }

    /** Something that is not the engine's: the sender's end of a channel is open again, or the link has failed. */
    void tell(Consumer<Side> what) {
        letters.add(what);
    }

    private void pause(LinkEngine engine) {
        engine.requests().onPause();
        passing.fill((byte) 0x5A);
        passing = MemorySegment.NULL;
    }

    boolean isEmpty() {
        return letters.isEmpty();
    }

    void deliverOne(Side to) {
        letters.remove().accept(to);
    }

    @Override
    public boolean hasRoom() {
        return letters.size() < 20;
    }

    @Override
    public void open(Announcement a) {
        say(e -> {
            e.requests().onOpen(a, clock.now());
            pause(e);
        });
    }

    @Override
    public void write(Announcement a, RemoteRegion to, long offset, int layout) {
        say(e -> {
            e.requests().onWrite(a, to, offset, layout, clock.now());
            pause(e);
        });
    }

    @Override
    public void read(Announcement a, RemoteRegion from, long offset, int layout) {
        say(e -> e.requests().onRead(a, from, offset, layout));
    }

    @Override
    public void layout(int number, RemoteLayout layout) {
        say(e -> e.requests().onLayout(number, layout));
    }

    @Override
    public void prepare(int number) {
        say(e -> e.requests().onPrepare(number));
    }

    @Override
    public void release(int number) {
        say(e -> e.requests().onRelease(number));
    }

    /** In two letters, as a long one takes several frames. */
    @Override
    public void selection(int number, int prepared, int[] indices, int count) {
        int[] copy = Arrays.copyOf(indices, count);
        say(e -> e.requests().onSelection(number, prepared, count, IntBuffer.wrap(copy, 0, count / 2)));
        say(e -> e.requests().onSelection(number, prepared, count, IntBuffer.wrap(copy, count / 2, count - count / 2)));
    }

    @Override
    public void bytes(int length, Consumer<MemorySegment> fill) {
        MemorySegment bytes = MemorySegment.ofArray(new byte[length]);
        fill.accept(bytes);
        say(e -> {
            passing = MemorySegment.ofArray(bytes.toArray(ValueLayout.JAVA_BYTE));
            e.requests().onBytes(passing);
            if (length % 2 == 0) {
                pause(e); // the announcement comes with the next read
            }
        });
    }

    @Override
    public void notification(byte[] bytes) {
        say(e -> e.requests().onNotification(bytes));
    }

    @Override
    public void taken(long cost) {
        say(e -> e.requests().onTaken(cost));
    }

    @Override
    public void cancel(long id, EndReason why) {
        say(e -> e.requests().onCancel(id, why));
    }

    @Override
    public void ended(long id, EndReason why) {
        say(e -> e.requests().onEnded(id, why));
    }

    @Override
    public void grant(long id, long offset, long bytes, int channel, int generation) {
        say(e -> e.requests().onGrant(id, offset, bytes, channel, generation));
    }

    @Override
    public void landed(long id) {
        say(e -> e.requests().onLanded(id));
    }

    @Override
    public void refused(long id, TransferRefusal why, long detail) {
        say(e -> e.requests().onRefused(id, why, detail));
    }

    @Override
    public void probe() {
        letters.add(side -> side.says.tell(asker -> asker.engine().heard(clock.now())));
    }

    @Override
    public void channelDown(boolean peerSends, int channel, int generation, String why) {
        say(e -> e.onChannelDown(peerSends, channel, generation, why));
    }
}
